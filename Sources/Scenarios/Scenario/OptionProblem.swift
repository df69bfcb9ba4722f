/// An error about an option or its value. The text spells option names for the place where it is shown.
package struct OptionProblem: Error, Hashable, Sendable {
    /// The option to change; nil if it is not an option of the scenario.
    package var option: String?
    private var reason: Reason

    package init(_ option: String? = nil, _ reason: Reason) {
        self.option = option
        self.reason = reason
    }

    /// The text with option names spelled for `place`.
    package func text(in place: OptionPlace) -> String { reason.text(in: place) }

    /// Text with option names: `"\(option: "cut-at") asks for cuts"`.
    package struct Reason: Hashable, Sendable, ExpressibleByStringInterpolation {
        fileprivate enum Part: Hashable, Sendable {
            case words(String)
            case option(String)
        }

        fileprivate var parts: [Part]

        package func text(in place: OptionPlace) -> String {
            parts.map { part in
                switch part {
                case .words(let words): words
                case .option(let name): place.spelling(of: name)
                }
            }.joined()
        }

        package init(stringLiteral words: String) { parts = [.words(words)] }

        package static func + (left: Reason, right: Reason) -> Reason {
            var sum = left
            sum.parts += right.parts
            return sum
        }

        package init(stringInterpolation parts: Parts) { self.parts = parts.parts }

        package struct Parts: StringInterpolationProtocol {
            fileprivate var parts: [Part] = []

            package init(literalCapacity: Int, interpolationCount: Int) {}

            package mutating func appendLiteral(_ words: String) { parts.append(.words(words)) }
            package mutating func appendInterpolation(option name: String) { parts.append(.option(name)) }
            package mutating func appendInterpolation(_ value: some Any) { parts.append(.words("\(value)")) }
        }
    }
}
