// Names in Swift: a group of constants becomes a type, its constants lose what they all begin with.

enum SwiftNames {
  /// `grant_table_op-operations` becomes `GrantTableOpOperations`.
  static func type(_ name: String) -> String {
    let joined = name.split { !($0.isLetter || $0.isNumber) }
      .map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    return joined.first?.isNumber == true ? "_" + joined : joined
  }

  /// The members' names, in order: without the prefix that all share, in lower camel case, each once.
  static func members(_ names: [String]) -> [String] {
    let stem = prefix(names)
    let short = names.map { member(String($0.dropFirst(stem))) }
    let isUnambiguous = Set(short).count == short.count && !short.contains("")
    return (isUnambiguous ? short : names).map(safe)
  }

  /// The length of the longest common beginning that ends after an underscore.
  private static func prefix(_ names: [String]) -> Int {
    guard let first = names.first, names.count > 1 else { return 0 }
    var length = 0
    for (index, character) in first.enumerated() where character == "_" {
      let candidate = first.prefix(index + 1)
      let remain = names.allSatisfy { name in
        guard name.hasPrefix(candidate), name.count > index + 1 else { return false }
        return name.dropFirst(index + 1).first?.isLetter == true
      }
      if remain { length = index + 1 } else { break }
    }
    return length
  }

  private static func member(_ name: String) -> String {
    let words = name.split(separator: "_").map(String.init)
    return words.enumerated().map { index, word in
      let isShouting = word == word.uppercased()
      let base = isShouting ? word.lowercased() : word
      return index == 0
        ? (isShouting ? base : base.prefix(1).lowercased() + base.dropFirst())
        : base.prefix(1).uppercased() + base.dropFirst()
    }.joined()
  }

  static func safe(_ name: String) -> String {
    keywords.contains(name) ? "`\(name)`" : name
  }

  private static let keywords: Set<String> = [
    "in", "out", "inout", "self", "Self", "init", "default", "true", "false", "nil", "class",
    "struct", "enum", "protocol", "func", "var", "let", "static", "import", "return", "switch",
    "case", "break", "continue", "if", "else", "for", "while", "repeat", "guard", "defer", "do",
    "try", "catch", "throw", "throws", "as", "is", "where", "operator", "public", "private",
    "internal", "fileprivate", "extension", "subscript", "typealias", "associatedtype", "super",
    "rethrows", "Any", "Type", "Protocol", "deinit", "fallthrough",
  ]
}
