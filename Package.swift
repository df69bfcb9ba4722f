// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: Swift 6 mode (strict concurrency) and no warnings left behind.
let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
]

// Targets are listed from the bottom of the house to the top. Imports point downward only; HouseTests holds that.
let package = Package(
    name: "faultline",
    products: [
        .executable(name: "faultline", targets: ["faultline"]),
        .library(name: "Bytes", targets: ["Bytes"]),
        .library(name: "Model", targets: ["Model"]),
        .library(name: "Oracle", targets: ["Oracle"]),
        .library(name: "Storage", targets: ["Storage"]),
        .library(name: "Engine", targets: ["Engine"]),
        .library(name: "Events", targets: ["Events"]),
        .library(name: "Schedules", targets: ["Schedules", "Platform"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ],
    targets: [
        .target(name: "CPlatform"),
        .systemLibrary(name: "CFuse", pkgConfig: "fuse3", providers: [.apt(["libfuse3-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .target(name: "CYardsticks", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "Bytes", dependencies: ["CPlatform"], swiftSettings: house),
        .target(name: "Platform", dependencies: ["Bytes", "CPlatform"], swiftSettings: house),
        .target(name: "Schedules", dependencies: ["Platform"], swiftSettings: house),
        .target(name: "Model", dependencies: ["Bytes"], swiftSettings: house),
        .target(name: "Storage", dependencies: ["Model", "Platform", "Bytes", "CPlatform"], swiftSettings: house),
        .target(name: "Oracle", dependencies: ["Bytes"], swiftSettings: house),
        .target(name: "Litmus", dependencies: ["Model", "Bytes"], swiftSettings: house),
        .target(
            name: "Engine", dependencies: ["Storage", "Platform", "Bytes", "CPlatform"], swiftSettings: house),
        .target(
            name: "Events",
            dependencies: [
                "Engine", "Storage", "Platform", "Bytes", .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: house),
        .target(
            name: "FaultFS", dependencies: ["CFuse", "Storage", "Model", "Platform", "Bytes", "CPlatform"],
            swiftSettings: house),
        .target(
            name: "Interleavings",
            dependencies: ["FaultFS", "Events", "Engine", "Storage", "Model", "Schedules", "Platform", "Bytes"],
            swiftSettings: house),
        .target(
            name: "Targets",
            dependencies: [
                "Oracle", "Events", "Engine", "Storage", "Model", "Platform", "Bytes", "CPlatform",
                .product(name: "Yams", package: "Yams"),
            ],
            resources: [
                "driver.py", "driver.c", "driver.go", "driver.rs", "driver.swift", "target.yaml",
                "library.py", "library.h", "library.go", "library.rs", "library.swift",
            ]
            .map {
                .embedInCode("New/\($0).template")
            },
            swiftSettings: house),
        .target(
            name: "Exploration",
            dependencies: ["Targets", "Oracle", "Storage", "Model", "Platform", "Bytes", "CPlatform"],
            swiftSettings: house),
        .target(
            name: "Block",
            dependencies: [
                "Exploration", "FaultFS", "Targets", "Oracle", "Storage", "Model", "Platform", "Bytes", "CPlatform",
            ],
            swiftSettings: house),
        .target(
            name: "Guest", dependencies: ["Targets", "Storage", "Platform", "Bytes"], swiftSettings: house),
        .target(
            name: "Machine",
            dependencies: [
                "Block", "Guest", "FaultFS", "Targets", "Oracle", "Storage", "Model", "Platform", "Bytes", "CPlatform",
            ],
            swiftSettings: house),
        .target(
            name: "Runs",
            dependencies: [
                "Machine", "Block", "Exploration", "FaultFS", "Targets", "Oracle", "Storage", "Model", "Platform",
                "Bytes",
                "CPlatform",
            ],
            swiftSettings: house),
        .target(
            name: "Scenarios",
            dependencies: [
                "Runs", "Machine", "Guest", "Block", "Exploration", "FaultFS", "Targets", "Litmus", "Oracle", "Storage",
                "Model", "Platform", "Bytes", "CPlatform",
            ],
            swiftSettings: house),
        .target(
            name: "Replay",
            dependencies: [
                "Scenarios", "Runs", "Machine", "Block", "Exploration", "Targets", "Oracle", "Storage", "Model",
                "Platform",
                "Bytes",
            ],
            swiftSettings: house),
        .target(
            name: "Matrices",
            dependencies: [
                "Scenarios", "Runs", "Machine", "Exploration", "Targets", "Events", "Engine", "Oracle", "Storage",
                "Model",
                "Platform", "Bytes",
            ],
            resources: [.embedInCode("default.yaml")],
            swiftSettings: house),
        .target(
            name: "Benchmarks",
            dependencies: [
                "CYardsticks", "Scenarios", "Runs", "Machine", "Guest", "Block", "Exploration", "FaultFS", "Targets",
                "Events", "Engine",
                "Oracle",
                "Storage", "Model", "Platform", "Bytes", "CPlatform",
            ],
            swiftSettings: house),
        .target(
            name: "Report",
            dependencies: [
                "Benchmarks", "Matrices", "Replay", "Scenarios", "Runs", "Machine", "Block", "Exploration",
                "Interleavings", "Events", "Engine", "Litmus", "Oracle", "Model", "Schedules", "Bytes",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Mustache", package: "swift-mustache"),
            ],
            resources: [
                "page.mustache", "run.mustache", "matrix.mustache", "finding.mustache", "entries.mustache", "page.css",
                "timeline.js", "states.js", "cells.js",
            ].map { .embedInCode("HTML/Resources/\($0)") },
            swiftSettings: house),
        .executableTarget(
            name: "faultline-target",
            dependencies: [
                "CSQLite", "Targets", "Litmus", "Events", "Engine", "Storage", "Oracle", "Platform", "Bytes",
                "CPlatform",
            ],
            swiftSettings: house),
        .executableTarget(
            name: "faultline",
            dependencies: [
                "Report", "Benchmarks", "Matrices", "Replay", "Scenarios", "Runs", "Machine", "Guest", "Block",
                "Exploration", "FaultFS", "Targets", "Interleavings", "Events", "Engine", "Storage", "Litmus", "Oracle",
                "Model",
                "Schedules", "Platform", "Bytes", "CPlatform",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: house),

        .target(name: "TestDevices", path: "Tests/TestDevices", swiftSettings: house),
        .testTarget(name: "BytesTests", dependencies: ["Bytes"], swiftSettings: house),
        .testTarget(
            name: "ModelTests", dependencies: ["Litmus", "Model", "Bytes"], exclude: ["Scripts"], swiftSettings: house),
        .testTarget(
            name: "FilesystemTests",
            dependencies: [
                "Report", "Scenarios", "Runs", "Machine", "Block", "Exploration", "Litmus", "Model", "Bytes",
            ], swiftSettings: house),
        .testTarget(
            name: "StorageTests", dependencies: ["TestDevices", "Storage", "Model", "Bytes", "CPlatform"],
            swiftSettings: house),
        .testTarget(name: "SchedulesTests", dependencies: ["Schedules", "Platform"], swiftSettings: house),
        .testTarget(
            name: "InterleavingsTests", dependencies: ["Interleavings", "Schedules", "Engine"],
            swiftSettings: house),
        .testTarget(name: "OracleTests", dependencies: ["Oracle", "Bytes"], swiftSettings: house),
        .testTarget(
            name: "EngineTests", dependencies: ["Events", "Engine", "Storage", "Model", "Bytes"], exclude: ["Fixtures"],
            swiftSettings: house),
        .testTarget(
            name: "FaultFSTests", dependencies: ["FaultFS", "Storage", "Model", "Bytes", "CPlatform"],
            swiftSettings: house),
        .testTarget(
            name: "TargetsTests",
            dependencies: ["TestDevices", "Targets", "Oracle", "Events", "Engine", "Storage", "Bytes", "CPlatform"],
            swiftSettings: house),
        .testTarget(name: "GuestTests", dependencies: ["Guest", "Storage", "Bytes"], swiftSettings: house),
        .testTarget(name: "BlockTests", dependencies: ["Block", "Model", "Platform", "Bytes"], swiftSettings: house),
        .testTarget(
            name: "BenchmarksTests", dependencies: ["Benchmarks", "Oracle", "Model", "Bytes"], swiftSettings: house),
        .testTarget(
            name: "ScenariosTests",
            dependencies: [
                "Report", "Benchmarks", "Matrices", "Replay", "Scenarios", "Runs", "Machine", "Block", "Exploration",
                "Targets",
                "FaultFS", "Interleavings", "Events", "Engine", "Oracle", "Storage", "Model", "Schedules", "Bytes",
                "Guest", "Litmus", "TestDevices",
            ], exclude: ["Fixtures"], swiftSettings: house),
        .testTarget(name: "HouseTests", dependencies: [], swiftSettings: house),
    ]
)

// Fuzzing needs a runtime that a plain build does not: FAULTLINE_FUZZ=1, see harness/fuzz/run.
if Context.environment["FAULTLINE_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "faultline-fuzz",
            dependencies: ["Targets", "Events", "Engine", "Storage", "Oracle", "Model", "Bytes"],
            path: "harness/fuzz/Sources", swiftSettings: house + [.unsafeFlags(["-parse-as-library"])]))
}
