package main

import (
	"fmt"
	"time"
)

// Names of the sources, as they appear beside every answer.
const (
	countryName = "DB-IP Country Lite"
	asName      = "RouteViews, NRO and DB-IP ASN Lite"
)

// sourceFormat is what SOURCE.txt says. The licences ask for the attribution.
const sourceFormat = `country ranges: ` + countryName + `, built %s
  IP Geolocation by DB-IP (https://db-ip.com)
  from npm %s
AS ranges: ` + asName + `, built %s
  AS numbers by Route Views (https://www.routeviews.org), the Number Resource
  Organization (https://www.nro.net) and DB-IP (https://db-ip.com)
  from npm %s
both licensed under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/);
changed: joined and packed into tables, names of smaller networks left out
`

// sourceText says where the tables are from.
func sourceText(countryBuilt time.Time, countryRelease string, asnBuilt time.Time, asnRelease string) string {
	return fmt.Sprintf(sourceFormat, countryBuilt.Format(time.DateOnly), countryRelease,
		asnBuilt.Format(time.DateOnly), asnRelease)
}
