import Bytes
import Glibc
import Oracle
import TestDevices
import Testing

@testable import Targets

@Suite struct OracleFileTests {
    private let line = OracleLine.begin(.put(1, "k", [1, 2, 3]))

    @Test func `appends whole lines to a private file`() throws {
        let folder = try TemporaryFolder()
        for _ in 0..<2 {
            let oracle = try OracleFile(path: folder.file("o"), storage: folder.path, mayShareFilesystem: true)
            try oracle.append(line)
        }
        #expect(try folder.read("o") == line.encoded + line.encoded)
        var status = stat()
        #expect(folder.file("o").withCString { stat($0, &status) } == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    @Test(arguments: ["o", "deeper/o", ".faultline/oracle"])
    func `an oracle on the storage under test is an error`(name: String) throws {
        let folder = try TemporaryFolder()
        _ = (folder.folder("deeper"), folder.folder(".faultline"))
        try folder.write(".faultline/oracle", [])
        let path = folder.file(name)
        #expect(throws: TargetError.oracleOnStorageUnderTest(oracle: path, storage: folder.path)) {
            try OracleFile(path: path, storage: folder.path)
        }
        // The error leaves no new file behind.
        #expect(path.withCString { access($0, F_OK) } == (name == ".faultline/oracle" ? 0 : -1))
    }

    @Test(.enabled(if: filesystemsDiffer("/tmp", "/dev/shm"), "/tmp and /dev/shm are one filesystem here"))
    func `accepts another filesystem`() throws {
        let folder = try TemporaryFolder()
        let elsewhere = try TemporaryFolder(in: "/dev/shm")
        try OracleFile(path: elsewhere.file("o"), storage: folder.path).append(line)
        #expect(try elsewhere.read("o") == line.encoded)
    }

    @Test(arguments: [
        ("missing/o", "open %/missing/o: No such file or directory"),
        ("link", "open %/link: Too many levels of symbolic links"),
        ("folder", "open %/folder: Is a directory"),
    ])
    func `an unwritable path is an error with a reason`(name: String, expected: String) throws {
        let folder = try TemporaryFolder()
        _ = folder.folder("folder")
        _ = folder.file("link").withCString { symlink("elsewhere", $0) }
        let error = #expect(throws: TargetError.self) {
            try OracleFile(path: folder.file(name), storage: folder.path, mayShareFilesystem: true)
        }
        #expect(error?.description == expected.replacing("%", with: folder.path.description))
    }

    @Test(.enabled(if: FullDevice.isThere, "\(FullDevice.absence)")) func `a full disk is an error`() throws {
        let oracle = try OracleFile(path: "/dev/full", storage: "/tmp")
        #expect(throws: TargetError.system(call: "write", path: "/dev/full", errno: ENOSPC)) {
            try oracle.append(line)
        }
    }
}

private func filesystemsDiffer(_ one: String, _ other: String) -> Bool {
    var first = stat()
    var second = stat()
    return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_dev != second.st_dev
}
