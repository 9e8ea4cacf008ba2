// Checks a checkpoint and a tlog-proof with the packages of the Go checksum database, which know nothing of notary.
//
//	tlog <vkey> <statement> <file.tlog-proof>
//
// Prints size, root and index on one line, and ends with status 1 and a sentence where something does not hold.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) != 4 {
		fail(fmt.Errorf("usage: tlog <vkey> <statement> <file.tlog-proof>"))
	}
	statement, err := os.ReadFile(os.Args[2])
	fail(err)
	proof, err := os.ReadFile(os.Args[3])
	fail(err)
	tree, index, err := check(os.Args[1], statement, proof)
	fail(err)
	fmt.Printf("%d %x %d\n", tree.N, tree.Hash[:], index)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(vkey string, statement, proof []byte) (tlog.Tree, int64, error) {
	head, signed, found := bytes.Cut(proof, []byte("\n\n"))
	if !found {
		return tlog.Tree{}, 0, fmt.Errorf("no empty line")
	}
	index, path, err := parse(strings.Split(string(head), "\n"))
	if err != nil {
		return tlog.Tree{}, 0, err
	}
	tree, err := open(vkey, signed)
	if err != nil {
		return tlog.Tree{}, 0, err
	}
	entry := sha256.Sum256(statement)
	return tree, index, tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(entry[:]))
}

func parse(lines []string) (int64, tlog.RecordProof, error) {
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return 0, nil, fmt.Errorf("not a tlog-proof")
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return 0, nil, fmt.Errorf("no index")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return 0, nil, err
	}
	var path tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return 0, nil, err
		}
		path = append(path, hash)
	}
	return index, path, nil
}

// open verifies the checkpoint, whose text is origin, size and root, and no line more.
func open(vkey string, signed []byte) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("not a root")
	}
	return tlog.Tree{N: size, Hash: tlog.Hash(root)}, nil
}
