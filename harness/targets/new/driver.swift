// Drives my-store for Faultline. Put your store's calls into the five functions, and nothing else. Then:
//
//     swiftc -O -o driver main.swift FaultlineDriver.swift
//
// As it stands it drives an example: a file for each key, which each change replaces. It passes.
import Foundation

struct Failed: Error { var call: String }

struct MyStore: Store {
    let directory: String  // the example's own

    /// The directory is empty, or holds what a crash left.
    init(directory: String) throws { self.directory = directory }

    /// The write is durable when this returns: include the call that syncs.
    func put(_ key: [UInt8], _ value: [UInt8]) throws {
        let file = open(path("new"), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { Foundation.close(file) }
        guard file >= 0, Foundation.write(file, value, value.count) == value.count, fsync(file) == 0 else { throw Failed(call: "write") }
        guard rename(path("new"), path(String(decoding: key, as: UTF8.self))) == 0 else { throw Failed(call: "rename") }
        try syncDirectory()
    }

    /// The same. The key may be absent.
    func delete(_ key: [UInt8]) throws {
        if unlink(path(String(decoding: key, as: UTF8.self))) != 0, errno != ENOENT { throw Failed(call: "unlink") }
        try syncDirectory()
    }

    /// Calls `entry` for every key with its value.
    func dump(_ entry: (_ key: [UInt8], _ value: [UInt8]) -> Void) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) where name != "new" {
            entry(Array(name.utf8), Array(try Data(contentsOf: URL(fileURLWithPath: path(name)))))
        }
    }

    /// Frees the store's locks: the next recovery may begin at once.
    func close() throws {}

    private func path(_ name: String) -> String { directory + "/" + name }

    // The example's own: a name is durable after a sync of its directory.
    private func syncDirectory() throws {
        let file = open(directory, O_RDONLY)
        defer { Foundation.close(file) }
        guard file >= 0, fsync(file) == 0 else { throw Failed(call: "fsync") }
    }
}

drive(MyStore.self)
