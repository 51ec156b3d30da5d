// Writes the TypeScript SDK of a Pulumi package: schema as JSON on stdin, folder as the only argument.
// It is the engine's own generator (`pulumi package gen-sdk`), which as a command would want a language host.
package main

import (
	"encoding/json"
	"log"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	var spec schema.PackageSpec
	must(0, json.NewDecoder(os.Stdin).Decode(&spec))
	pkg, problems, err := schema.BindSpec(spec, schema.NewNullLoader(), schema.ValidationOptions{})
	if must(0, err); problems.HasErrors() {
		log.Fatal(problems)
	}
	for name, text := range must(nodejs.GeneratePackage("pulumi", pkg, nil, nil, true, nil)) {
		file := filepath.Join(os.Args[1], name)
		must(0, os.MkdirAll(filepath.Dir(file), 0o755))
		must(0, os.WriteFile(file, text, 0o644))
	}
}
