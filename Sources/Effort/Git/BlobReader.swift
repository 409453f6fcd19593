// The contents of blobs, out of one `git cat-file --batch`.

/// Reads the answers of `git cat-file --batch`: a line with name, type and size, then the bytes.
struct BlobReader {
  private enum State {
    case header
    case contents(size: Int)
    /// Contents that nobody wants, with the line's end after them.
    case skipping(Int)
    case lineEnd
  }

  private var state = State.header
  private var buffer: [UInt8] = []
  private var index = 0
  private(set) var fault: String?

  /// Reads the blobs named `objects`, in their order.
  ///
  /// `body` gets the place in `objects` and the bytes, which are `nil` for what is larger than any text.
  static func read(
    _ objects: [String], _ git: Git, _ body: (Int, UnsafeRawBufferPointer?) -> Void
  ) async throws(EffortError) {
    guard !objects.isEmpty else { return }
    var input: [UInt8] = []
    for object in objects {
      input.append(contentsOf: object.utf8)
      input.append(0x0A)
    }
    var reader = BlobReader()
    try await git.stream(["cat-file", "--batch", "--buffer"], input: input) { piece in
      reader.feed(piece, body)
      if let fault = reader.fault { throw EffortError.git(command: "cat-file", message: fault) }
    }
    guard reader.index == objects.count else {
      throw .git(
        command: "cat-file", message: "\(objects.count) blobs expected, \(reader.index) found")
    }
  }

  private mutating func feed(
    _ piece: UnsafeRawBufferPointer, _ body: (Int, UnsafeRawBufferPointer?) -> Void
  ) {
    var rest = piece
    while !rest.isEmpty, fault == nil {
      switch state {
      case .header:
        let line = rest.prefix { $0 != 0x0A }
        buffer.append(contentsOf: line)
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(line.count))
        guard !rest.isEmpty else { return }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst())
        readHeader(body)
      case .contents(let size):
        let taken = min(size - buffer.count, rest.count)
        // Most blobs come whole in one piece and need no copy.
        if buffer.isEmpty, taken == size {
          body(index, UnsafeRawBufferPointer(rebasing: rest[..<size]))
          index += 1
          state = .lineEnd
        } else {
          buffer.append(contentsOf: rest[..<taken])
          if buffer.count == size {
            buffer.withUnsafeBytes { body(index, $0) }
            buffer.removeAll(keepingCapacity: size < 4 << 20)
            index += 1
            state = .lineEnd
          }
        }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(taken))
      case .skipping(let count):
        let taken = min(count, rest.count)
        state = count == taken ? .header : .skipping(count - taken)
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(taken))
      case .lineEnd:
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst())
        state = .header
      }
    }
  }

  private mutating func readHeader(_ body: (Int, UnsafeRawBufferPointer?) -> Void) {
    let line = String(decoding: buffer, as: UTF8.self)
    buffer.removeAll(keepingCapacity: true)
    let fields = line.split(separator: " ")
    guard fields.count == 3, fields[1] == "blob", let size = Int(fields[2]), size >= 0 else {
      fault = "a blob expected, found `\(line.prefix(80))`"
      return
    }
    if size > TextFacts.largest {
      body(index, nil)
      index += 1
      state = .skipping(size + 1)
    } else if size == 0 {
      body(index, UnsafeRawBufferPointer(start: nil, count: 0))
      index += 1
      state = .lineEnd
    } else {
      buffer.reserveCapacity(min(size, 1 << 20))
      state = .contents(size: size)
    }
  }
}
