package command

import (
	"encoding/json"
	"strings"

	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// schemaNode is what is read of the JSON Schema of scenario files: it knows every field, engine and layer.
type schemaNode struct {
	Description string                 `json:"description"`
	Default     json.RawMessage        `json:"default"`
	Enum        []string               `json:"enum"`
	Properties  map[string]*schemaNode `json:"properties"`
	Items       *schemaNode            `json:"items"`
	Additional  json.RawMessage        `json:"additionalProperties"`
}

func readSchema() *schemaNode {
	var root schemaNode
	if err := json.Unmarshal(scenarios.Schema(), &root); err != nil {
		panic("command: schema: " + err.Error())
	}
	return &root
}

// fields are those of scenario files.
func fields() []meaning {
	var all []meaning
	readSchema().walk("", &all)
	return all
}

func (n *schemaNode) walk(path string, all *[]meaning) {
	if path != "" && n.Description != "" {
		doc := n.Description
		if len(n.Default) > 0 {
			doc += " Default: " + strings.Trim(string(n.Default), `"`) + "."
		}
		if len(n.Enum) > 0 {
			doc += " One of: " + strings.Join(n.Enum, ", ") + "."
		}
		*all = append(*all, meaning{"field of scenario files", path, doc})
	}
	for _, name := range history.SortedKeys(n.Properties) {
		n.Properties[name].walk(strings.TrimPrefix(path+"."+name, "."), all)
	}
	if n.Items != nil {
		n.Items.walk(path+"[]", all)
	}
	var more schemaNode
	if json.Unmarshal(n.Additional, &more) == nil {
		more.walk(path+".*", all)
	}
}
