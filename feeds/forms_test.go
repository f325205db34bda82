package feeds

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestCompiledFormIsCurrent rewrites the compiled form under -update.
func TestCompiledFormIsCurrent(t *testing.T) {
	files, err := filepath.Glob("packs/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no packs", err)
	}
	var b strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v any = &packFile{}
		switch name := filepath.Base(file); {
		case name == "policies.yaml":
			v = &policyFile{}
		case isShared(name):
			v = &sharedFile{}
		}
		if err := decode(file, data, v); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%x %s\n", sha256.Sum256(data), text)
	}
	generated(t, "packs/compiled.jsonl", b.String())
}

// TestCompiledFormMeansTheSame: a library read from the compiled form is that read from
// YAML, to the line.
func TestCompiledFormMeansTheSame(t *testing.T) {
	fast, slow := shippedLibrary(t), &Library{}
	if err := slow.addDir(os.DirFS("packs"), "packs"); err != nil {
		t.Fatal(err)
	}
	fast.forms = nil
	if !reflect.DeepEqual(fast, slow) {
		t.Error("the two libraries differ: run go generate ./feeds")
	}
	if fast.Generation() != slow.Generation() {
		t.Errorf("generations %s and %s", fast.Generation(), slow.Generation())
	}
}

func TestFormsAreFoundByDigest(t *testing.T) {
	data := []byte(demo)
	sum := sha256.Sum256(data)
	known := readForms(fmt.Sprintf("zz {}\nabcd {}\n%x {\"ID\":\"other\"}\n", sum))
	if len(known) != 1 {
		t.Fatalf("%d forms, want 1", len(known))
	}
	var f packFile
	if err := known.read("demo.yaml", data, sum, &f); err != nil || f.ID != "other" {
		t.Errorf("%v, id %q: the form was not used", err, f.ID)
	}
	f = packFile{}
	if err := known.read("demo.yaml", data, [32]byte{}, &f); err != nil || f.ID != "demo" {
		t.Errorf("%v, id %q: a changed file was not read as it is written", err, f.ID)
	}
	if err := (forms{sum: "{"}).read("demo.yaml", data, sum, &f); err == nil || !strings.HasPrefix(err.Error(), "demo.yaml") {
		t.Errorf("a broken form: %v", err)
	}
}
