package sink

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"telltale/alert"
)

var _ = register(Type{
	Name:    "elasticsearch",
	About:   "Elasticsearch or OpenSearch, _bulk into a data stream",
	Acked:   true,
	Formats: []string{"ecs", "ecs8"},
	New:     newElastic,
})

// elasticConfig is the settings of an Elasticsearch or OpenSearch cluster.
type elasticConfig struct {
	Endpoint `yaml:",inline"`
	// Index is the data stream or index. Default logs-telltale.alert-default.
	Index string `yaml:"index"`
	// APIKeyFile holds an API key as Elasticsearch prints it (encoded).
	APIKeyFile string `yaml:"api_key_file"`
	// User and PasswordFile are for Basic authentication.
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"`
}

type elastic struct {
	*poster
	path, auth string
	body       []byte
}

// indexName is what Elasticsearch allows, a little less.
var indexName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,200}$`)

func newElastic(e *Entry) (alert.Sink, error) {
	c := elasticConfig{Index: "logs-telltale.alert-default"}
	if err := e.Decode(&c); err != nil {
		return nil, err
	}
	var errs []error
	if !indexName.MatchString(c.Index) {
		errs = append(errs, fmt.Errorf("index %q: use lower-case letters, digits, dots, hyphens and underscores", c.Index))
	}
	p, err := c.poster(true)
	auth, err2 := c.auth()
	if err := errors.Join(append(errs, err, err2)...); err != nil {
		return nil, err
	}
	return &elastic{poster: p, auth: auth, path: "/" + c.Index + "/_bulk"}, nil
}

func (c *elasticConfig) auth() (string, error) {
	switch {
	case c.APIKeyFile != "" && c.User != "":
		return "", errors.New("api_key_file and user exclude each other: give one")
	case c.APIKeyFile != "":
		key, err := secretLine(c.APIKeyFile)
		return "ApiKey " + key, err
	case (c.User == "") != (c.PasswordFile == ""):
		return "", errors.New("user and password_file go together: give both or none")
	case c.User != "":
		word, err := secretLine(c.PasswordFile)
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.User+":"+word)), err
	}
	return "", nil
}

// Send implements alert.Sink.
func (s *elastic) Send(ctx context.Context, batch []alert.Record) alert.Outcome {
	return halving(batch, func(some []alert.Record) (alert.Outcome, bool) { return s.send(ctx, some) })
}

func (s *elastic) send(ctx context.Context, batch []alert.Record) (alert.Outcome, bool) {
	s.body = s.body[:0]
	for i := range batch {
		s.body = append(s.body, `{"create":{"_id":"`+batch[i].Alert.ID+"\"}}\n"...)
		s.body = append(append(s.body, batch[i].Body...), '\n')
	}
	a, err := s.post(ctx, s.path, s.body, "Content-Type", "application/x-ndjson", "Authorization", s.auth)
	if err != nil {
		return alert.Outcome{Err: err}, false
	}
	switch a.status {
	case http.StatusRequestEntityTooLarge:
		return alert.Outcome{}, true
	case http.StatusOK:
		return s.items(&a, len(batch)), false
	}
	return a.failure(s.base.Host), false
}

// bulkAnswer is the answer to _bulk: one item for each record, in order.
type bulkAnswer struct {
	Items []map[string]struct {
		Status int             `json:"status"`
		Error  json.RawMessage `json:"error"`
	} `json:"items"`
}

// items settles records up to the first that is to be tried again. Those taken behind
// it are sent again too, and recognised by their id.
func (s *elastic) items(a *answer, n int) alert.Outcome {
	var said bulkAnswer
	if err := json.Unmarshal(a.body, &said); err != nil || len(said.Items) != n {
		return alert.Outcome{Err: fmt.Errorf("%s answered %s, not as _bulk does: check url", s.base.Host, a.excerpt())}
	}
	var o alert.Outcome
	for i, item := range said.Items {
		for _, result := range item {
			switch status := result.Status; {
			case status >= 200 && status < 300 || status == http.StatusConflict: // 409: it is there already
			case status == http.StatusTooManyRequests || status >= 500:
				o.Err = fmt.Errorf("%s is busy (status %d for a record): it is tried again; see the state of the cluster", s.base.Host, status)
				o.After = a.after()
				return o
			case status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusNotFound:
				o.Err = fmt.Errorf("%s answered %d for a record %s: check index and what the key may write", s.base.Host, status, excerpt(result.Error))
				return o
			default:
				o.Refused = append(o.Refused, alert.Refusal{Index: i, Reason: fmt.Sprintf("status %d %s", status, excerpt(result.Error))})
			}
		}
		o.Done++
	}
	return o
}

// excerpt is the start of an error in an answer.
func excerpt(b []byte) string {
	a := answer{body: b}
	return a.excerpt()
}

// Close implements alert.Sink.
func (s *elastic) Close() error {
	s.close()
	return nil
}
