import Bytes
import Model
import Oracle

extension KnownFinding {
    /// Parses the list under the key `known` of a matrix. An entry with several checks gives a finding for each.
    package static func list(_ value: YAMLValue) throws(YAMLError) -> [KnownFinding] {
        try list(value, of: nil)
    }

    /// Parses the list under the key `known`.
    ///
    /// - Parameter parameters: those of the target, for `when`; nil in a matrix, whose cells say it themselves.
    static func list(_ value: YAMLValue, of parameters: [Parameter]?) throws(YAMLError) -> [KnownFinding] {
        var known: [KnownFinding] = []
        for item in try value.list("known") {
            for finding in try findings(item, parameters) {
                guard !known.contains(where: { $0.isLike(finding) }) else {
                    throw item.error("this known finding appears twice: \(finding)")
                }
                known.append(finding)
            }
        }
        return known
    }

    private func isLike(_ other: KnownFinding) -> Bool {
        var other = other
        other.reason = reason
        return self == other
    }

    private static let keys = ["check", "loss", "error", "acknowledged", "reason"]
    /// The checks with an error message of the store.
    private static let checksWithErrors: [Check] = [.opens, .consistent, .idempotent, .writable]

    private static func findings(
        _ value: YAMLValue, _ parameters: [Parameter]?
    ) throws(YAMLError) -> [KnownFinding] {
        let keys = keys + (parameters == nil ? [] : ["when"])
        let fields = try value.mapping("a known finding", known: keys)
        guard let checks = fields["check"] else { throw value.error("a known finding needs a key check") }
        var settings: [String: String]?
        if let when = fields["when"], let parameters {
            settings = Dictionary(
                try Manifest.settings(when, parameters).map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        }
        var findings: [KnownFinding] = []
        for check in try checks.oneOrMore("check") {
            var finding = try KnownFinding(check, value, fields)
            finding.settings = settings
            findings.append(finding)
        }
        guard !findings.isEmpty else { throw checks.error("check needs at least one check") }
        return findings
    }

    private init(_ check: YAMLValue, _ value: YAMLValue, _ fields: [String: YAMLValue]) throws(YAMLError) {
        guard let reason = fields["reason"] else {
            throw value.error("a known finding needs a key reason: why it is accepted")
        }
        self.init(try Self.check(check), reason: try Self.reason(reason))
        if let loss = fields["loss"] { losses = try Self.losses(loss) }
        if let error = fields["error"] {
            guard Self.checksWithErrors.contains(self.check) else {
                throw error.error(
                    "error is for check: opens, consistent, idempotent or writable: \(self.check.rawValue) has none")
            }
            let text = try error.text("error")
            guard !text.isEmpty else { throw error.error("error is the store's error message and must not be empty") }
            self.error = TextPattern(ofMessage: text)
        }
        if let acknowledged = fields["acknowledged"] {
            guard self.check == .opens else { throw acknowledged.error("acknowledged is for check: opens") }
            hasAcknowledged = try acknowledged.flag("acknowledged")
        }
    }

    private static func check(_ value: YAMLValue) throws(YAMLError) -> Check {
        let name = try value.text("check")
        guard let check = Check(rawValue: name) else {
            let names = Check.allCases.map(\.rawValue)
            let nearest = Spelling.nearest(to: name, in: names).map { "; did you mean \($0)?" } ?? ""
            throw value.error("check cannot be \(name)\(nearest) (\(names.joined(separator: ", ")))")
        }
        return check
    }

    private static func reason(_ value: YAMLValue) throws(YAMLError) -> String {
        let text = try value.text("reason")
        let isBlank = text.allSatisfy(\.isWhitespace)
        guard !isBlank, !text.contains(where: \.isNewline), text.utf8.count <= 500 else {
            throw value.error("reason must say why the finding is accepted, in one line of at most 500 bytes")
        }
        return text
    }

    private static func losses(_ value: YAMLValue) throws(YAMLError) -> [LossPattern] {
        var losses: [LossPattern] = []
        for item in try value.oneOrMore("loss") {
            let text = try item.text("loss")
            guard let pattern = LossPattern(parsing: text) else {
                throw item.error(
                    "loss must be a kind of change and a path, such as 'write data/*.log', 'size of db', 'name db', "
                        + "'removal of the name db-journal', 'zeros in db', 'mode and owner of db' "
                        + "or 'attribute NAME of db', not '\(text)'")
            }
            guard !losses.contains(pattern) else { throw item.error("\(pattern) appears twice") }
            losses.append(pattern)
        }
        return losses
    }
}
