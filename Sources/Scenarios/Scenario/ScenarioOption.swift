import Bytes
import Model
import Runs

/// An option of a scenario: its declaration, and how to read and print its value.
///
/// Values are texts everywhere: arguments on the command line, scalars in a matrix, fields in a case.
package struct ScenarioOption<Subject>: Sendable {
    package private(set) var declaration: OptionDeclaration
    /// Parses the texts and sets the value: one text for each time that the option is given, `true` for a flag.
    package let read: @Sendable (inout Subject, [String]) throws(OptionProblem) -> Void
    /// The current value as texts; empty for a flag that is off and for an unset value.
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

    /// The option for a type that contains the subject.
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

    /// Records the value in cases, under this key.
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

    package static func withInit(_ path: any WritableKeyPath<Subject, Bool> & Sendable) -> ScenarioOption {
        .flag(
            "with-init", path,
            "let crashes come during the target's init command, too; without this option they begin after it")
    }

    /// The option `cycles` for a scenario without cycles. It has no effect: earlier versions printed and recorded it,
    /// and matrices may have it.
    package static var obsoleteCycles: ScenarioOption {
        ScenarioOption("cycles", .integer, "count", "without effect") { (_, texts) throws(OptionProblem) in
            _ = try OptionText.integer(texts, of: "cycles", in: 0...1000)
        } texts: { _ in
            []
        }
        .kept(as: "cycles").with { $0.isObsolete = true }
    }
}

/// Parses option values.
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

    /// Parses fault rules for a run without power cuts.
    ///
    /// - Parameter hint: what to use instead of a rule that cuts the power.
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
        // Invalid UTF-8 was replaced by U+FFFD earlier, and would name another file.
        guard !text.isEmpty, !text.unicodeScalars.contains("\u{FFFD}") else {
            throw OptionProblem(name, "\(option: name) must be a path in UTF-8")
        }
        return ByteString(text)
    }
}
