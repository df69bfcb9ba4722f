// Drives my-store for Faultline. Put your store's calls into the five functions, and nothing else.
//
//	go build -o driver driver.go faultline_driver.go
//
// As it stands it drives an example: a file for each key, which each change replaces. It passes.
package main

import (
	"errors"
	"io/fs"
	"os"
)

var directory string // the example's own

// open gets a directory that is empty, or holds what a crash left.
func open(path string) error {
	directory = path + "/"
	return nil
}

// put returns when the write is durable: include the call that syncs.
func put(key, value []byte) error {
	file, err := os.Create(directory + "new")
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err = file.Write(value); err != nil {
		return err
	}
	if err = file.Sync(); err != nil {
		return err
	}
	if err = os.Rename(directory+"new", directory+string(key)); err != nil {
		return err
	}
	return syncDirectory()
}

// remove does the same. The key may be absent.
func remove(key []byte) error {
	if err := os.Remove(directory + string(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncDirectory()
}

// dump calls entry for every key with its value.
func dump(entry func(key, value []byte)) error {
	files, err := os.ReadDir(directory)
	for _, file := range files {
		if file.Name() == "new" {
			continue
		}
		value, err := os.ReadFile(directory + file.Name())
		if err != nil {
			return err
		}
		entry([]byte(file.Name()), value)
	}
	return err
}

// close frees the store's locks: the next recovery may begin at once.
func close() error { return nil }

// The example's own: a name is durable after a sync of its directory.
func syncDirectory() error {
	file, err := os.Open(directory)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Sync()
}

func main() {
	Drive(Calls{Open: open, Put: put, Delete: remove, Dump: dump, Close: close})
}
