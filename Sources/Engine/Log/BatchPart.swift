import Bytes

/// One record of a batch.
struct BatchPart {
    var type: RecordType
    var key: ByteString
    var payload: [UInt8]

    var frameSizeBytes: Int { Frame.size(keyCount: key.count, payloadCount: payload.count) }
}
