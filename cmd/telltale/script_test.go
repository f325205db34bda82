package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(tidy{m}, map[string]func(){"telltale": main, "ledger": ledgerChild, "natsd": natsChild})
}

// tidy runs the tests and removes what they share.
type tidy struct{ *testing.M }

// leftovers are folders to be removed after all tests.
var leftovers []string

func (m tidy) Run() int {
	defer func() {
		for _, dir := range leftovers {
			_ = os.RemoveAll(dir)
		}
	}()
	return m.M.Run()
}

// TestScripts runs the sessions in testdata/script against the program itself.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../../testdata/case")
	if err != nil {
		t.Fatal(err)
	}
	bad, err := filepath.Abs("testdata/bad")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("CASE", root)
			e.Setenv("BAD", bad)
			return nil
		},
	})
}
