import Glibc

/// The entry point of libFuzzer. `FAULTLINE_FUZZ_TARGET` selects the reader, because a process has only one entry point.
private let target: FuzzTarget = {
    let name = getenv("FAULTLINE_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        let known = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
        print("FAULTLINE_FUZZ_TARGET is '\(name)'; one of: \(known)")
        exit(2)
    }
    return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    target.run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
