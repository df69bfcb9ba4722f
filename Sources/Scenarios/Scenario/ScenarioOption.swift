import Bytes
import Model
import Runs

/// One option of a scenario: its declaration, how its value is read into the scenario, and how it is said again.
///
/// A value is text in all places: the words of a command line, the scalars of a matrix, the fields of a case.
package struct ScenarioOption<Subject>: Sendable {
    package private(set) var declaration: OptionDeclaration
    /// Sets what the texts say: one for each time that the option is given, `true` for a flag.
    package let read: @Sendable (inout Subject, [String]) throws(OptionProblem) -> Void
    /// The present value; empty for a flag that is off and a value that is not there.
    package let texts: @Sendable (Subject) -> [String]

    private init(
        declaration: OptionDeclaration,
        read: @escaping @Sendable (inout Subject, [String]) throws(OptionProblem) -> Void,
        texts: @escaping @Sendable (Subject) -> [String]
    ) {
        (self.declaration, self.read, self.texts) = (declaration, read, texts)
    }

    package init(
        _ name: String, _ kind: OptionDeclaration.Kind, _ valueName: String? = nil, default defaultText: String? = nil,
        _ help: String, read: @escaping @Sendable (inout Subject, [String]) throws(OptionProblem) -> Void,
        texts: @escaping @Sendable (Subject) -> [String]
    ) {
        declaration = OptionDeclaration(
            name: name, kind: kind, valueName: valueName, help: help, defaultText: defaultText)
        self.read = read
        self.texts = texts
    }

    /// The same option of something that holds the subject.
    package func of<Whole>(_ path: any WritableKeyPath<Whole, Subject> & Sendable) -> ScenarioOption<Whole> {
        ScenarioOption<Whole>(
            declaration: declaration,
            read: { (whole, texts) throws(OptionProblem) in try read(&whole[keyPath: path], texts) },
            texts: { whole in texts(whole[keyPath: path]) })
    }

    private func with(_ change: (inout OptionDeclaration) -> Void) -> ScenarioOption {
        var option = self
        change(&option.declaration)
        return option
    }

    /// A case keeps it, there.
    package func kept(as key: String) -> ScenarioOption { with { $0.planKey = key } }
    package func only(in place: OptionPlace) -> ScenarioOption { with { $0.places = [place] } }
    package func excluding(_ names: String...) -> ScenarioOption { with { $0.excluded = names } }
    package func needing(_ name: String) -> ScenarioOption { with { $0.needed = name } }
    package func with(default text: String) -> ScenarioOption { with { $0.defaultText = text } }
    package var limiting: ScenarioOption { with { $0.isLimit = true } }
    package var alwaysPrinted: ScenarioOption { with { $0.isAlwaysPrinted = true } }
}

// MARK: - Usual kinds

extension ScenarioOption {
    package static func flag(
        _ name: String, _ path: any WritableKeyPath<Subject, Bool> & Sendable, _ help: String
    ) -> ScenarioOption {
        ScenarioOption(name, .flag, nil, help) { (subject, _) in
            subject[keyPath: path] = true
        } texts: {
            $0[keyPath: path] ? ["true"] : []
        }
    }

    package static func integer(
        _ name: String, _ path: any WritableKeyPath<Subject, Int> & Sendable, in range: ClosedRange<Int>,
        default defaultText: String, _ help: String
    ) -> ScenarioOption {
        ScenarioOption(name, .integer, "count", default: defaultText, help) {
            (subject, texts) throws(OptionProblem) in
            subject[keyPath: path] = try OptionText.integer(texts, of: name, in: range)
        } texts: {
            ["\($0[keyPath: path])"]
        }
    }

    package static func integer(
        _ name: String, _ path: any WritableKeyPath<Subject, Int?> & Sendable, in range: ClosedRange<Int>,
        _ help: String
    ) -> ScenarioOption {
        ScenarioOption(name, .integer, "count", help) { (subject, texts) throws(OptionProblem) in
            subject[keyPath: path] = try OptionText.integer(texts, of: name, in: range)
        } texts: { subject in
            subject[keyPath: path].map { ["\($0)"] } ?? []
        }
    }

    /// `cycles` of a scenario that has none: earlier versions printed and kept it, and matrices may have it. It has no effect.
    package static var obsoleteCycles: ScenarioOption {
        ScenarioOption("cycles", .integer, "count", "without effect") { (_, texts) throws(OptionProblem) in
            _ = try OptionText.integer(texts, of: "cycles", in: 0...1000)
        } texts: { _ in
            []
        }
        .kept(as: "cycles").with { $0.isObsolete = true }
    }
}

/// Reads values of options.
package enum OptionText {
    package static func integer(
        _ texts: [String], of name: String, in range: ClosedRange<Int>
    ) throws(OptionProblem) -> Int {
        let text = texts.last ?? ""
        guard let number = Int(text), range.contains(number) else {
            throw OptionProblem(
                name,
                "\(option: name) must be a whole number from \(range.lowerBound) to \(range.upperBound), not \(text)")
        }
        return number
    }

    package static func seconds(_ texts: [String], of name: String) throws(OptionProblem) -> Int {
        let text = texts.last ?? ""
        guard let time = TimeSpan(argument: text) else {
            throw OptionProblem(name, "\(option: name) is a time, such as 60s or 10m, not \(text)")
        }
        return time.seconds
    }

    /// Fault rules of a run in which the power stays on.
    ///
    /// - Parameter hint: what to do instead of a rule that cuts the power.
    package static func rules(
        _ texts: [String], of name: String, insteadOfCrash hint: OptionProblem.Reason
    ) throws(OptionProblem) -> [Rule] {
        var rules: [Rule] = []
        for text in texts {
            let rule: Rule
            do throws(RuleError) { rule = try Rule(parsing: text) } catch {
                throw OptionProblem(name, "\(option: name): \(error)")
            }
            if rule.cutsPower { throw OptionProblem(name, "\(option: name): '\(rule)' cuts the power" + hint) }
            rules.append(rule)
        }
        return rules
    }

    package static func path(_ texts: [String], of name: String) throws(OptionProblem) -> ByteString {
        let text = texts.last ?? ""
        // What was not UTF-8 has become a replacement character by now, and would name another file.
        guard !text.isEmpty, !text.unicodeScalars.contains("\u{FFFD}") else {
            throw OptionProblem(name, "\(option: name) must be a path in UTF-8")
        }
        return ByteString(text)
    }
}
