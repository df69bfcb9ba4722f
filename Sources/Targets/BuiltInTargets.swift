import Bytes
import Engine
import Glibc
import Oracle

/// The targets that come with Faultline, driven by the program `faultline-target` beside it.
package struct BuiltInTargets: Sendable {
    package let all: [Target]

    /// - Parameter driver: the path of `faultline-target`.
    package init(driver: ByteString) {
        all = [BuiltInTargets.engine(driver), BuiltInTargets.sqlite(driver)]
    }

    /// With the driver that lies beside the running program.
    package static func besideThisProgram() throws(TargetError) -> BuiltInTargets {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes {
            readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        guard count > 0 else { throw .system("readlink", "/proc/self/exe") }
        let slash = buffer[..<count].lastIndex(of: UInt8(ascii: "/")) ?? 0
        let driver = ByteString(buffer[..<slash] + Array("/faultline-target".utf8))
        guard driver.withCString({ access($0, X_OK) }) == 0 else { throw .driverMissing(path: driver) }
        return BuiltInTargets(driver: driver)
    }

    package func target(named name: String) throws(TargetError) -> Target {
        guard let target = all.first(where: { $0.name == name }) else {
            throw .unknownTarget(name: name, known: all.map(\.name))
        }
        return target
    }

    private static func engine(_ driver: ByteString) -> Target {
        var engine = target(
            name: "engine", description: "the built-in key-value store on its write-ahead log",
            source: "KeyValueStore: after a crash, a prefix of the writes that includes every durable one",
            parameters: [
                Parameter("planted", ["none"] + PlantedBug.allCases.map(\.name)),
                Parameter("compact_every", ["40", "0"]),
            ], driver)
        engine.contract = .ordered
        return engine
    }

    private static func sqlite(_ driver: ByteString) -> Target {
        var sqlite = target(
            name: "sqlite", description: "SQLite through its C library, one transaction an operation",
            source: "https://sqlite.org/pragma.html#pragma_synchronous",
            parameters: [
                Parameter("journal_mode", ["delete", "wal", "truncate", "persist", "memory", "off"]),
                Parameter("synchronous", ["full", "extra", "normal", "off"]),
            ], driver)
        // "WAL mode does lose durability. A transaction committed in WAL mode with synchronous=NORMAL might roll back
        // following a power loss or system crash."
        sqlite.contractExceptions = [
            .init(
                settings: [
                    Setting(name: "journal_mode", value: "wal"), Setting(name: "synchronous", value: "normal"),
                ], contract: .prefix)
        ]
        return sqlite
    }

    private static func target(
        name: String, description: String, source: String, parameters: [Parameter], _ driver: ByteString
    ) -> Target {
        let flags = parameters.map { ByteString("--\($0.name)={\($0.name)}") }
        let start = [driver, ByteString(name)]
        var target = Target(
            name: name, description: description, source: source, contract: .durable,
            workload: start + ["workload"] + flags, recover: start + ["recover"] + flags)
        target.persistentRecover = start + ["recover", "--persistent"] + flags
        target.parameters = parameters
        return target
    }
}
