// A Linux kernel's own symbol table, which it keeps in its read-only data for its messages. A
// stripped kernel still has it. Nothing says where it is, so it is found by its shape and then
// proved: counts, markers, order and addresses must all agree.
//
// The parts, each aligned to a machine word, as Linux 5 and 6 up to 6.3 order them:
//
//     offsets        u32 for each symbol          (or addresses, a word each)
//     relative_base  one word                     (not with addresses)
//     num_syms       u32
//     names          for each symbol: length, then that many tokens
//     markers        u32: the offset in names of each 256th symbol
//     seqs_of_names  3 bytes for each symbol      (6.2 on)
//     token_table    256 zero-terminated strings
//     token_index    256 u16: the offset in token_table of each token
//
// From Linux 6.4 on the order is num_syms, names, markers, token_table, token_index, offsets,
// relative_base, seqs_of_names.

/// Reads kallsyms out of a kernel that has no other symbols.
enum Kallsyms {
  /// The functions that the kernel's table names; `nil` where there is no table that proves sound.
  static func read(_ contents: ImageContents) -> [ImageSymbol]? {
    let word = contents.width == .bits64 ? 8 : 4
    for section in candidates(contents.sections) {
      guard let tokens = KallsymsTokens.find(in: section.bytes, word: word),
        let names = KallsymsNames.find(before: tokens, in: section.bytes, word: word)
      else { continue }
      return KallsymsAddresses(
        names: names, tokens: tokens, bytes: section.bytes, word: word,
        sections: contents.sections
      ).symbols()
    }
    return nil
  }

  /// The sections that can hold the table: read-only data first, which some linkers mark writable.
  private static func candidates(_ sections: [ImageSection]) -> [ImageSection] {
    let allocated = sections.filter { $0.isAllocated && $0.bytes.count >= 4096 }
    let named = allocated.filter { $0.name.hasPrefix(".rodata") }
    let readOnly = allocated.filter { section in
      !section.name.hasPrefix(".rodata") && !section.isWritable
        && (!section.isExecutable || section.name.hasPrefix("segment "))
    }
    return named + readOnly
  }
}

extension Int {
  /// Rounds up to a multiple of `alignment`, a power of two.
  func aligned(to alignment: Int) -> Int { (self + alignment - 1) & ~(alignment - 1) }
}
