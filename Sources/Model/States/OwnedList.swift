/// A noncopyable list for the inner loop of a walk. Unlike an array it needs no uniqueness check at each change. Indices
/// are checked in debug builds only.
struct OwnedList<Element>: ~Copyable {
    private var base: UnsafeMutablePointer<Element>
    private var capacity: Int
    private(set) var count: Int

    init(_ elements: [Element] = []) {
        capacity = max(16, elements.count)
        count = elements.count
        base = .allocate(capacity: capacity)
        for (position, element) in elements.enumerated() { (base + position).initialize(to: element) }
    }

    deinit {
        base.deinitialize(count: count)
        base.deallocate()
    }

    subscript(_ position: Int) -> Element {
        @inline(__always) get {
            assert(position >= 0 && position < count)
            return base[position]
        }
        @inline(__always) set {
            assert(position >= 0 && position < count)
            base[position] = newValue
        }
    }

    /// The elements. Valid until the list changes.
    var elements: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: base, count: count) }

    @inline(__always)
    mutating func append(_ element: Element) {
        if count == capacity { grow() }
        (base + count).initialize(to: element)
        count += 1
    }

    @inline(__always)
    mutating func popLast() -> Element? {
        guard count > 0 else { return nil }
        count -= 1
        return (base + count).move()
    }

    private mutating func grow() {
        let new = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        new.moveInitialize(from: base, count: count)
        base.deallocate()
        base = new
        capacity *= 2
    }
}
