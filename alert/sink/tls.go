package sink

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TLS is how a sink speaks TLS. The zero value trusts the system's roots.
type TLS struct {
	// CA is a file of certificates, PEM, to trust instead of the system's.
	CA string `yaml:"ca"`
	// Cert and Key are files of the sensor's own certificate, PEM. The key must be
	// readable by its owner only.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// ServerName is the name the receiver's certificate must have. Default: the host of
	// the address.
	ServerName string `yaml:"server_name"`
	// InsecureSkipVerify accepts any certificate: whoever sits between reads and forges.
	InsecureSkipVerify bool `yaml:"insecure_skip_verify"`
}

// config returns the settings for the crypto/tls package, TLS 1.2 and newer (RFC 9662).
func (t *TLS) config(host string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName, InsecureSkipVerify: t.InsecureSkipVerify}
	if c.ServerName == "" {
		c.ServerName = host
	}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("reading the certificates to trust: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM form: name the file of the authority that signed the receiver's", t.CA)
		}
	}
	if (t.Cert == "") != (t.Key == "") {
		return nil, errors.New("cert and key go together: give both or none")
	}
	if t.Cert == "" {
		return c, nil
	}
	pem, err := os.ReadFile(t.Cert)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	key, err := readSecret(t.Key)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(pem, []byte(key))
	if err != nil {
		return nil, fmt.Errorf("reading the certificate %s: %w: give the key that belongs to it", t.Cert, err)
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}
