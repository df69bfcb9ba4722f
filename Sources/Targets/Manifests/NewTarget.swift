import Bytes

/// The files of a new target, to be filled in: a driver, the library that it uses, and a manifest. As they stand they test an
/// example store, which passes.
package struct NewTarget: Sendable {
    package enum Language: String, CaseIterable, Sendable {
        case python
        case c
        case go
        case rust
        case swift

        /// The program that builds a driver; nil if there is nothing to build.
        package var compiler: String? {
            switch self {
            case .python: nil
            case .c: "cc"
            case .go: "go"
            case .rust: "rustc"
            case .swift: "swiftc"
            }
        }
    }

    package struct File: Sendable {
        package var name: ByteString
        package var bytes: [UInt8]
        package var isExecutable = false
    }

    package let name: String
    package let language: Language

    /// - Throws: `YAMLError` if a manifest cannot have this name.
    package init(_ name: String, _ language: Language) throws(YAMLError) {
        (self.name, self.language) = (name, language)
        _ = try Manifest.target(manifest, file: manifestName)
    }

    package var manifestName: ByteString { ByteString(name + ".yaml") }

    package var files: [File] {
        let driver: [File] =
            switch language {
            case .python:
                [
                    File(name: "driver.py", bytes: named(PackageResources.driver_py_template), isExecutable: true),
                    File(name: "faultline_driver.py", bytes: PackageResources.library_py_template),
                ]
            case .go:
                [
                    File(name: "driver.go", bytes: named(PackageResources.driver_go_template)),
                    File(name: "faultline_driver.go", bytes: PackageResources.library_go_template),
                ]
            case .rust:
                [
                    File(name: "driver.rs", bytes: named(PackageResources.driver_rs_template)),
                    File(name: "faultline_driver.rs", bytes: PackageResources.library_rs_template),
                ]
            case .swift:
                [
                    File(name: "main.swift", bytes: named(PackageResources.driver_swift_template)),
                    File(name: "FaultlineDriver.swift", bytes: PackageResources.library_swift_template),
                ]
            case .c:
                [
                    File(name: "driver.c", bytes: named(PackageResources.driver_c_template)),
                    File(name: "faultline_driver.h", bytes: PackageResources.library_h_template),
                ]
            }
        return [File(name: manifestName, bytes: manifest)] + driver
    }

    /// The command that builds the driver, in the directory of the files; nil if there is nothing to build.
    package var build: String? {
        switch language {
        case .python: nil
        case .c: "cc -std=c11 -O2 -o driver driver.c"
        case .rust: "rustc -O -o driver driver.rs"
        case .swift: "swiftc -O -o driver main.swift FaultlineDriver.swift"
        case .go: "go build -o driver driver.go faultline_driver.go"
        }
    }

    private var manifest: [UInt8] {
        let program =
            switch language {
            case .python: "driver.py"
            case .c, .go, .rust, .swift: "driver"
            }
        return Self.replacing("DRIVER", by: program, in: named(PackageResources.target_yaml_template))
    }

    private func named(_ template: [UInt8]) -> [UInt8] { Self.replacing("my-store", by: name, in: template) }

    private static func replacing(_ old: String, by new: String, in bytes: [UInt8]) -> [UInt8] {
        Array(String(decoding: bytes, as: UTF8.self).replacing(old, with: new).utf8)
    }
}
