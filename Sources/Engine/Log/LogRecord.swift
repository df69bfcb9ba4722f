import Bytes

/// One record of a log.
public struct LogRecord: Hashable, Sendable {
    public var type: RecordType
    public var lsn: LSN
    public var key: ByteString
    public var payload: [UInt8]

    init(_ frame: Frame) {
        type = frame.type
        lsn = LSN(frame.lsn)
        key = ByteString(frame.key)
        payload = Array(frame.payload)
    }
}
