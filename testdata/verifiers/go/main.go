// Verifies a log folder of Tearline with the Go project's own packages for notes and transparency logs:
// golang.org/x/mod/sumdb/note and golang.org/x/mod/sumdb/tlog, as Debian has them. Nothing in here is shared with
// Tearline.
//
//	verify FOLDER VERIFIER-KEY [OLDER-CHECKPOINT...]
//
// It checks the signature of the checkpoint, derives the root from every entry, proves every tile and the inclusion of
// entries all over the log, and proves that the log continues each of the older checkpoints.
package main

import (
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 {
		log.Fatal("usage: verify FOLDER VERIFIER-KEY [OLDER-CHECKPOINT...]")
	}
	folder, key := os.Args[1], os.Args[2]
	tree := checkpoint(filepath.Join(folder, "checkpoint"), key)

	// Every entry, hashed as it is read, up to the root.
	stored := memory{}
	leaves := make([]tlog.Hash, 0, tree.N)
	for first := int64(0); first < tree.N; first += 256 {
		for _, entry := range bundle(folder, first, tree.N) {
			leaf := tlog.RecordHash(entry)
			hashes, err := tlog.StoredHashesForRecordHash(int64(len(leaves)), leaf, &stored)
			check(err)
			stored = append(stored, hashes...)
			leaves = append(leaves, leaf)
		}
	}
	root, err := tlog.TreeHash(tree.N, &stored)
	check(err)
	if root != tree.Hash {
		log.Fatalf("the entries lead to %v, and the checkpoint has %v", root, tree.Hash)
	}

	// Every hash of the lowest level, read through the tiles, each of which the package proves; then proofs.
	reader := tlog.TileHashReader(tree, tiles(folder))
	for first := int64(0); first < tree.N; first += 256 {
		var indexes []int64
		for n := first; n < tree.N && n < first+256; n++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, n))
		}
		found, err := reader.ReadHashes(indexes)
		check(err)
		for i, hash := range found {
			if hash != leaves[first+int64(i)] {
				log.Fatalf("entry %d does not fit its tile", first+int64(i))
			}
		}
	}
	proofs := 0
	for n := int64(0); n < tree.N; n += 1 + tree.N/100 {
		proof, err := tlog.ProveRecord(tree.N, n, reader)
		check(err)
		check(tlog.CheckRecord(proof, tree.N, tree.Hash, n, leaves[n]))
		proofs++
	}
	for _, path := range os.Args[3:] {
		old := checkpoint(path, key)
		proof, err := tlog.ProveTree(tree.N, old.N, reader)
		check(err)
		check(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash))
	}
	fmt.Printf("verified %d entries, %d inclusions, %d older checkpoints\n", tree.N, proofs, len(os.Args)-3)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// checkpoint reads a checkpoint that the key has signed.
func checkpoint(path, key string) tlog.Tree {
	message, err := os.ReadFile(path)
	check(err)
	verifier, err := note.NewVerifier(key)
	check(err)
	signed, err := note.Open(message, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		log.Fatalf("not a checkpoint of %s: %q", verifier.Name(), signed.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	hash, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: size, Hash: hash}
}

// bundle reads the entries of the bundle that begins with entry first, in a log of size entries.
func bundle(folder string, first, size int64) (entries [][]byte) {
	width := size - first
	if width > 256 {
		width = 256
	}
	path := tlog.Tile{H: 8, L: 0, N: first / 256, W: int(width)}.Path()
	data, err := os.ReadFile(filepath.Join(folder, "tile/entries", strings.TrimPrefix(path, "tile/8/0/")))
	check(err)
	for len(data) > 0 {
		length := int(binary.BigEndian.Uint16(data))
		entries = append(entries, data[2:2+length])
		data = data[2+length:]
	}
	if int64(len(entries)) != width {
		log.Fatalf("%s has %d entries", path, len(entries))
	}
	return entries
}

// tiles reads tiles from a folder.
type tiles string

func (folder tiles) Height() int                     { return 8 }
func (folder tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (folder tiles) ReadTiles(wanted []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range wanted {
		path := filepath.Join(string(folder), strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		bytes, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

// memory holds the hashes that were derived from entries.
type memory []tlog.Hash

func (stored *memory) ReadHashes(indexes []int64) (hashes []tlog.Hash, err error) {
	for _, index := range indexes {
		hashes = append(hashes, (*stored)[index])
	}
	return hashes, nil
}
