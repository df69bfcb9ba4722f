import Bytes
import Storage

/// The implementation of a `KeyValueStore`: the correct engine, or one with a planted bug.
protocol KeyValueEngine: AnyObject, Sendable {
    var recoveryReport: RecoveryReport { get }
    func put(_ key: ByteString, _ value: [UInt8]) throws(EngineError) -> LSN
    func delete(_ key: ByteString) throws(EngineError) -> LSN
    func commit(_ batch: WriteBatch) throws(EngineError) -> LSN
    func sync() throws(EngineError)
    func sync(through lsn: LSN) throws(EngineError)
    func get(_ key: ByteString) throws(EngineError) -> [UInt8]?
    func place(of key: ByteString) -> ValuePlace?
    func contains(_ key: ByteString) -> Bool
    var keys: [ByteString] { get }
    var count: Int { get }
    func rotate() throws(EngineError)
    func compact() throws(EngineError) -> CompactionReport
    func compact(into target: any Storage) throws(EngineError) -> CompactionReport
    func close() throws(EngineError)
}
