import Foundation

/// A schema of docs/schemas, as far as these use the language: a keyword that is not known here is an error, and so is
/// everything that the schema does not allow.
struct JSONSchema {
    private let folder: URL
    private let file: String

    init(_ file: String) {
        folder =
            URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs/schemas").standardized
        self.file = file
    }

    /// What is wrong with a value, each with its place; empty where it is as the schema says.
    func problems(of json: Data) throws -> [String] {
        var problems: [String] = []
        let value = try JSONSerialization.jsonObject(with: json, options: .fragmentsAllowed)
        try Self.check(value, try Self.load(folder, file), file, folder, at: "$", &problems)
        return problems
    }

    private static func load(_ folder: URL, _ file: String) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(contentsOf: folder.appending(path: file))) as? [String: Any] ?? [:]
    }

    private static let annotations: Set<String> = ["$schema", "$id", "$defs", "title", "description"]

    private static func check(
        _ value: Any, _ schema: [String: Any], _ file: String, _ folder: URL, at place: String,
        _ problems: inout [String]
    ) throws {
        for (keyword, rule) in schema where !annotations.contains(keyword) {
            switch (keyword, rule) {
            case ("$ref", let reference as String):
                let parts = reference.split(separator: "#", omittingEmptySubsequences: false)
                let other = parts[0].isEmpty ? file : String(parts[0])
                var target: Any? = try load(folder, other)
                for key in parts[1].split(separator: "/") { target = (target as? [String: Any])?[String(key)] }
                guard let target = target as? [String: Any] else {
                    throw Problem("\(file): nothing is at \(reference)")
                }
                try check(value, target, other, folder, at: place, &problems)
            case ("allOf", let all as [[String: Any]]):
                for schema in all { try check(value, schema, file, folder, at: place, &problems) }
            case ("type", let type as String):
                if !isOf(type, value) { problems.append("\(place): \(value) is no \(type)") }
            case ("enum", let values as [String]):
                if !values.contains(where: { $0 == value as? String }) {
                    problems.append("\(place): \(value) is not listed")
                }
            case ("enum", let values as [Int]):
                if !values.contains(where: { $0 == value as? Int }) {
                    problems.append("\(place): \(value) is not listed")
                }
            case ("const", let constant as String):
                if value as? String != constant { problems.append("\(place): \(value) is not \(constant)") }
            case ("minimum", let least as Int):
                if let number = value as? NSNumber, number.doubleValue < Double(least) {
                    problems.append("\(place): \(value) is less than \(least)")
                }
            case ("items", let schema as [String: Any]):
                for (index, item) in (value as? [Any] ?? []).enumerated() {
                    try check(item, schema, file, folder, at: "\(place)[\(index)]", &problems)
                }
            case ("required", let names as [String]):
                let object = value as? [String: Any] ?? [:]
                problems += names.filter { object[$0] == nil }.map { "\(place): \($0) is missing" }
            case ("properties", let properties as [String: [String: Any]]):
                for (name, schema) in properties {
                    guard let value = (value as? [String: Any])?[name] else { continue }
                    try check(value, schema, file, folder, at: "\(place).\(name)", &problems)
                }
            case ("additionalProperties", let rule):
                let known = schema["properties"] as? [String: Any] ?? [:]
                for (name, value) in value as? [String: Any] ?? [:] where known[name] == nil {
                    guard let schema = rule as? [String: Any] else {
                        problems.append("\(place): \(name) is not in the schema")
                        continue
                    }
                    try check(value, schema, file, folder, at: "\(place).\(name)", &problems)
                }
            default: throw Problem("\(file): \(keyword) is not known here")
            }
        }
    }

    private static func isOf(_ type: String, _ value: Any) -> Bool {
        switch type {
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "string": value is String
        case "boolean": (value as? NSNumber).map(isBoolean) ?? false
        case "number": (value as? NSNumber).map { !isBoolean($0) } ?? false
        case "integer":
            (value as? NSNumber).map { !isBoolean($0) && $0.doubleValue == $0.doubleValue.rounded() } ?? false
        default: false
        }
    }

    private static func isBoolean(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }

    private struct Problem: Error {
        var text: String
        init(_ text: String) { self.text = text }
    }
}
