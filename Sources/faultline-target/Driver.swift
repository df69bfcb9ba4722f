import Bytes
import Glibc
import Targets

/// The workload and recover commands, common to all built-in targets.
enum Driver {
    static func workload(
        _ run: (_ workload: Workload, _ directory: ByteString, _ oracle: AcknowledgementLimiter<OracleFile>) throws ->
            Void
    ) throws {
        let environment = try WorkloadEnvironment.ofThisProcess()
        let oracle = try OracleFile(
            path: environment.oracle, storage: environment.directory,
            mayShareFilesystem: environment.oracleMayShareFilesystem)
        let workload = Workload(
            seed: environment.seed, shape: environment.shape, firstSeq: environment.firstSeq,
            operationCount: environment.operationCount, timings: environment.timings.flatMap(CallTimings.init))
        try run(
            workload, environment.directory,
            AcknowledgementLimiter(oracle, count: environment.acknowledgementLimit))
    }

    static func recover(isPersistent: Bool, _ dump: @escaping RecoverServer.Dump) throws {
        var server = RecoverServer(dump)
        if isPersistent { return try server.serveAll() }
        guard let directory = getenv("FAULTLINE_DIR") else { throw UsageError(description: "FAULTLINE_DIR is not set") }
        try server.serveOne(ByteString(UnsafeRawBufferPointer(start: directory, count: strlen(directory))))
    }
}
