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

// at follows a path of fields through lists; an empty node stands for what is not there.
func (n *schemaNode) at(path ...string) *schemaNode {
	for _, field := range path {
		if n.Items != nil {
			n = n.Items
		}
		if n = n.Properties[field]; n == nil {
			return &schemaNode{}
		}
	}
	return n
}

// engines lists the engines that a scenario may name.
func engines() []entryLine {
	var rows []entryLine
	for _, name := range readSchema().at("stacks", "engine").Enum {
		doc := "an engine: says when the position of an event is committed"
		for _, w := range words() {
			if w.what == wordEngine && w.name == name {
				doc = w.doc
			}
		}
		rows = append(rows, entryLine{name, doc})
	}
	return rows
}

// layers lists the layers that a scenario may name.
func layers() []entryLine {
	list := readSchema().at("stacks", "layers")
	if list.Items == nil {
		return nil
	}
	var rows []entryLine
	for _, name := range history.SortedKeys(list.Items.Properties) {
		rows = append(rows, entryLine{name, list.Items.Properties[name].Description})
	}
	return rows
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
