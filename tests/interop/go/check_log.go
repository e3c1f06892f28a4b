// check_log: verifies an exported log with the Go project's own packages, as they come with Debian
// (golang.org/x/mod/sumdb/note and tlog): the signed checkpoint, every hash tile that it covers, and
// for auditors every entry. It knows C2SP's names of tiles and nothing of Enlace.
//
//	check_log FOLDER VKEY [OLD-CHECKPOINT]
//
// Ends with 0 when all of it verifies; 1 and a line when it does not.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// folder reads tiles by the names of C2SP tlog-tiles: no height, "entries" for data.
type folder string

func (f folder) Height() int                             { return height }
func (f folder) SaveTiles(tiles []tlog.Tile, _ [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		name := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
		name = strings.Replace(name, "tile/data/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), name))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

func fail(what string, err error) {
	fmt.Printf("%s: %v\n", what, err)
	os.Exit(1)
}

// open gives the tree that a checkpoint's key signed.
func open(path, vkey string) tlog.Tree {
	text, err := os.ReadFile(path)
	if err != nil {
		fail("checkpoint", err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		fail("vkey", err)
	}
	signed, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		fail("signature", err)
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		fail("checkpoint", fmt.Errorf("%d lines of %q", len(lines), lines[0]))
	}
	var tree tlog.Tree
	if _, err := fmt.Sscanf(lines[1], "%d", &tree.N); err != nil {
		fail("size", err)
	}
	if tree.Hash, err = tlog.ParseHash(lines[2]); err != nil {
		fail("root", err)
	}
	return tree
}

// entries checks each record of each bundle against its hash in the proven tree.
func entries(root string, tree tlog.Tree, hashes tlog.HashReader) int64 {
	var count int64
	for at := int64(0); at < tree.N; at += 1 << height {
		width := tree.N - at
		if width > 1<<height {
			width = 1 << height
		}
		tile := tlog.Tile{H: height, L: -1, N: at >> height, W: int(width)}
		data, err := folder(root).ReadTiles([]tlog.Tile{tile})
		if os.IsNotExist(err) {
			return 0 // a mirror: no entries
		}
		if err != nil {
			fail("bundle", err)
		}
		rest := data[0]
		for i := at; i < at+width; i++ {
			if len(rest) < 2 || len(rest) < 2+int(binary.BigEndian.Uint16(rest)) {
				fail("bundle", fmt.Errorf("cut at leaf %d", i))
			}
			size := int(binary.BigEndian.Uint16(rest))
			want, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, i)})
			if err != nil {
				fail("tile", err)
			}
			if tlog.RecordHash(rest[2:2+size]) != want[0] {
				fail("leaf", fmt.Errorf("%d is another", i))
			}
			rest = rest[2+size:]
			count++
		}
	}
	return count
}

func main() {
	root, vkey := os.Args[1], os.Args[2]
	tree := open(filepath.Join(root, "checkpoint"), vkey)
	hashes := tlog.TileHashReader(tree, folder(root))
	for i := int64(0); i < tree.N; i++ { // each hash of level 0, proven by the tiles above it
		if _, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, i)}); err != nil {
			fail("tile", err)
		}
	}
	count := entries(root, tree, hashes)
	for _, i := range []int64{0, tree.N / 2, tree.N - 1} {
		proof, err := tlog.ProveRecord(tree.N, i, hashes)
		if err != nil {
			fail("proof", err)
		}
		leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, i)})
		if err == nil {
			err = tlog.CheckRecord(proof, tree.N, tree.Hash, i, leaf[0])
		}
		if err != nil {
			fail("inclusion", err)
		}
	}
	if len(os.Args) > 3 {
		old := open(os.Args[3], vkey)
		proof, err := tlog.ProveTree(tree.N, old.N, hashes)
		if err == nil {
			err = tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
		}
		if err != nil {
			fail("consistency", err)
		}
	}
	fmt.Printf("%d leaves, %d entries\n", tree.N, count)
}
