// A function as a WASI preview 1 command: the event comes on stdin, the answer goes to stdout,
// what is written to stderr is logged, and an exit status other than 0 is an error.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

type order struct {
	Item  string `json:"item"`
	Count int    `json:"count"`
}

func main() {
	var wanted order
	if err := json.NewDecoder(os.Stdin).Decode(&wanted); err != nil {
		fmt.Fprintln(os.Stderr, "no order:", err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, "event", os.Getenv("EMBERD_REQUEST_ID"))
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"item":   wanted.Item,
		"cents":  wanted.Count * 250,
		"orders": 1,
	})
}
