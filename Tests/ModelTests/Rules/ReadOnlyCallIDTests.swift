import Bytes
import Testing

@testable import Model

struct ReadOnlyCallIDTests {
    @Test func `a call that leaves no trace is called by its kind and its number`() throws {
        let id = OperationID(readOnlyCall: .read, number: 4)
        #expect("\(id)" == "read 4" && "\(OperationID(4))" == "op 4")
        #expect(id.readOnlyCall?.kind == .read && id.readOnlyCall?.number == 4)
        #expect(OperationID(62).readOnlyCall == nil)
        for kind in OperationKind.allCases {
            #expect(OperationID(readOnlyCall: kind, number: 7).scriptText == "\(kind.name):7")
        }
    }

    /// Scripts of older versions have the plain number.
    @Test(arguments: ["read:2 read path=a -> EIO", "9223372036854775809 read path=a -> EIO"])
    func `a script names it, and hits it`(line: String) throws {
        let script = try ScriptedFaults(parsing: ByteString(line))
        #expect("\(script)" == "read:2 read path=a -> EIO\n")
    }

    @Test(arguments: ["read:0 read path=a -> EIO", "reed:1 read path=a -> EIO", "read: read path=a -> EIO"])
    func `what names no call is refused`(line: String) {
        let error = #expect(throws: RuleError.self) { try ScriptedFaults(parsing: ByteString(line)) }
        #expect(error.map { "\($0)" }?.contains("such as 62 or read:4") == true)
    }
}
