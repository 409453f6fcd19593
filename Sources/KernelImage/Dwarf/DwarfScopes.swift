// Which functions, inlined or not, cover an address: what the walk through a unit finds.

/// A function that covers some wanted address.
struct DwarfScope {
  /// The entry's offset in .debug_info.
  var entry: Int
  /// The scope that this one stands in; position in the same array.
  var parent: Int?
  /// The function's body was copied into its parent's.
  var isInlined: Bool
}

/// The scopes of one unit.
struct DwarfScopes {
  var scopes: [DwarfScope] = []
  /// For each wanted address the innermost scope; position in ``scopes``.
  var innermost: [Int?]

  /// The scopes of an address from the innermost out to the function that holds the code.
  func chain(ofAddress index: Int) -> [DwarfScope] {
    var chain: [DwarfScope] = []
    var position = innermost[index]
    while let current = position {
      chain.append(scopes[current])
      // A parent stands before its child, so this ends.
      position = scopes[current].isInlined ? scopes[current].parent : nil
    }
    return chain
  }
}
