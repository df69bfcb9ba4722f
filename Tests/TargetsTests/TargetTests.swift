import Bytes
import Testing

@testable import Targets

@Suite struct TargetTests {
    private let targets = TargetCatalog(driver: "/opt/faultline-target")

    @Test func `settings replace default values`() throws {
        let sqlite = try targets.target("sqlite")
        #expect(try sqlite.configured().label == "sqlite journal_mode=delete synchronous=full")
        let settings = [Setting(name: "journal_mode", value: "off"), Setting(name: "journal_mode", value: "wal")]
        let configured = try sqlite.configured(settings)
        #expect(configured.label == "sqlite journal_mode=wal synchronous=full")
        #expect(
            configured.workload.arguments == [
                "/opt/faultline-target", "sqlite", "workload", "--journal_mode=wal", "--synchronous=full",
            ])
        #expect(configured.recover.arguments[3] == "--persistent" && configured.isPersistent)
    }

    @Test func `every combination is a configuration`() throws {
        let labels = try targets.target("sqlite").configurations.map(\.label)
        #expect(labels.count == 24 && Set(labels).count == 24)
        #expect(labels[1] == "sqlite journal_mode=delete synchronous=extra")
    }

    @Test func `documented exceptions have their own contract`() throws {
        let exceptions = try targets.target("sqlite").configurations.filter { $0.contract != .durable }
        #expect(exceptions.map(\.label) == ["sqlite journal_mode=wal synchronous=normal"])
    }

    @Test(arguments: [
        ("colour", "red", "target sqlite has no parameter colour; its parameters: journal_mode, synchronous"),
        ("synchronous", "maybe", "synchronous cannot be maybe; allowed: full, extra, normal, off"),
    ])
    func `invalid settings are errors`(name: String, value: String, expected: String) throws {
        let sqlite = try targets.target("sqlite")
        let error = #expect(throws: TargetError.self) { try sqlite.configured([Setting(name: name, value: value)]) }
        #expect(error?.description == expected)
    }

    @Test(arguments: ["", "=", "=x", "name"]) func `malformed settings are errors`(text: String) {
        #expect(throws: TargetError.malformedSetting(text)) { try Setting(parsing: text) }
    }

    @Test(arguments: [("a=b", "a", "b"), ("a=b=c", "a", "b=c"), ("a=", "a", "")])
    func `settings are parsed`(text: String, name: String, value: String) throws {
        #expect(try Setting(parsing: text) == Setting(name: name, value: value))
    }

    @Test func `an unknown target lists the known ones`() {
        let error = #expect(throws: TargetError.self) { try targets.target("oracle") }
        #expect(
            error?.description == "unknown target oracle; known targets: engine, events, sqlite; "
                + "for your own target give the path of its manifest, such as ./oracle.yaml")
    }

    @Test(arguments: [
        ("nowhere/driver.py", true), ("-javaagent:nowhere/a.jar", false), ("/nowhere/a.jar:/nowhere/b.jar", false),
        ("nowhere/data", false),
    ])
    func `a script that is not there is an error, an option or a class path is not`(word: ByteString, isMissing: Bool) {
        let target = Target(
            name: "t", description: "", source: "", contract: .durable, workload: ["/bin/sh", word],
            recover: ["/bin/sh"])
        var isRefused = false
        do { try target.checkCommands() } catch { isRefused = true }
        #expect(isRefused == isMissing)
    }

    @Test(arguments: [
        ("{a}", "1"), ("--x={a}/{bb}", "--x=1/22"), ("{c} {", "{c} {"), ("{{a}}", "{1}"), ("{a", "{a"), ("", ""),
    ])
    func `parameters are substituted`(argument: String, expected: String) throws {
        var target = Target(
            name: "t", description: "", source: "", contract: .durable, workload: [ByteString(argument)], recover: [])
        target.parameters = [Parameter("a", ["1"]), Parameter("bb", ["22"])]
        #expect(try target.configured().workload.arguments == [ByteString(expected)])
    }
}
