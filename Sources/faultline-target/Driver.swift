import Bytes
import Glibc
import Targets

/// What every built-in target does with its commands, whatever the store.
enum Driver {
    static func workload(
        _ run: (_ workload: Workload, _ directory: ByteString, _ oracle: LastAcknowledgement<OracleFile>) throws -> Void
    ) throws {
        let environment = try WorkloadEnvironment.ofThisProcess()
        let oracle = try OracleFile(
            path: environment.oracle, storage: environment.directory,
            mayShareFilesystem: environment.oracleMayShareFilesystem)
        let workload = Workload(
            seed: environment.seed, shape: environment.shape, firstSeq: environment.firstSeq,
            operationCount: environment.operationCount)
        try run(
            workload, environment.directory,
            LastAcknowledgement(oracle, count: environment.acknowledgementLimit))
    }

    static func recover(isPersistent: Bool, _ dump: @escaping RecoverServer.Dump) throws {
        var server = RecoverServer(dump)
        if isPersistent { return try server.serveAll() }
        guard let directory = getenv("FAULTLINE_DIR") else { throw UsageError(description: "FAULTLINE_DIR is not set") }
        try server.serveOne(ByteString(UnsafeRawBufferPointer(start: directory, count: strlen(directory))))
    }
}
