// Writes the TypeScript SDK of a Pulumi package: schema as JSON on stdin, then the folder and the resources that are wanted.
// The package's other resources, and its functions, are left out.
// It is the engine's own generator (`pulumi package gen-sdk`), which as a command would want a language host.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

// One of the packages above silences log.
func fail(why error) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}

func must[T any](value T, err error) T {
	if err != nil {
		fail(err)
	}
	return value
}

func main() {
	var spec schema.PackageSpec
	must(0, json.NewDecoder(os.Stdin).Decode(&spec))
	for token := range spec.Functions {
		// Those of pulumi: are methods of the provider itself.
		if strings.HasPrefix(token, spec.Name+":") {
			delete(spec.Functions, token)
		}
	}
	for token := range spec.Resources {
		if !slices.Contains(os.Args[2:], token[strings.LastIndex(token, ":")+1:]) {
			delete(spec.Resources, token)
		}
	}
	pkg, problems, err := schema.BindSpec(spec, schema.NewNullLoader(), schema.ValidationOptions{})
	if must(0, err); problems.HasErrors() {
		fail(problems)
	}
	for name, text := range must(nodejs.GeneratePackage("pulumi", pkg, nil, nil, true, nil)) {
		file := filepath.Join(os.Args[1], name)
		must(0, os.MkdirAll(filepath.Dir(file), 0o755))
		must(0, os.WriteFile(file, text, 0o644))
	}
}
