// Patterns with `*` and `?`, for suppression files.

/// A pattern over whole strings: `*` takes any run of characters, also none and also slashes; `?` takes one.
package struct Glob: Sendable, Equatable {
  private let pattern: [Unicode.Scalar]

  package init(_ pattern: String) {
    self.pattern = Array(pattern.unicodeScalars)
  }

  package func matches(_ text: String) -> Bool {
    let text = Array(text.unicodeScalars)
    var at = 0
    var place = 0
    // Where to go on when the text after the last star does not fit. One star's memory is enough:
    // what an earlier star could take as well, the last one can.
    var retry: (at: Int, place: Int)?
    while place < text.count {
      if at < pattern.count, pattern[at] == "*" {
        retry = (at + 1, place)
        at += 1
      } else if at < pattern.count, pattern[at] == "?" || pattern[at] == text[place] {
        at += 1
        place += 1
      } else if let back = retry {
        retry = (back.at, back.place + 1)
        (at, place) = (back.at, back.place + 1)
      } else {
        return false
      }
    }
    return pattern[at...].allSatisfy { $0 == "*" }
  }
}
