// The reference that the DWARF readers are held to: llvm-symbolizer's answers for the same addresses.

import Foundation

@testable import KernelImage

/// One frame in llvm-symbolizer's terms.
struct ReferenceFrame: Equatable, CustomStringConvertible {
  var function: String
  var file: String
  var line: Int

  var description: String { "\(function) \(file):\(line)" }

  init(function: String, file: String, line: Int) {
    self.function = function
    self.file = file
    self.line = line
  }

  init(_ frame: SourceFrame) {
    self.init(function: frame.function, file: frame.path?.raw ?? "", line: frame.line ?? 0)
  }
}

extension DwarfToolchain {
  /// What llvm-symbolizer says of each address; empty where it knows no line.
  func reference(
    for addresses: [UInt64], in file: String
  ) throws -> [UInt64: [ReferenceFrame]] {
    struct Answer: Decodable {
      struct Symbol: Decodable {
        var functionName: String
        var fileName: String
        var line: Int

        enum CodingKeys: String, CodingKey {
          case functionName = "FunctionName"
          case fileName = "FileName"
          case line = "Line"
        }
      }
      var address: String
      var symbols: [Symbol]

      enum CodingKeys: String, CodingKey {
        case address = "Address"
        case symbols = "Symbol"
      }
    }
    let input = addresses.map { "0x" + String($0, radix: 16) + "\n" }.joined()
    let output = try run(
      "llvm-symbolizer", ["--obj=\(file)", "--output-style=JSON"], input: input)
    var result: [UInt64: [ReferenceFrame]] = [:]
    let decoder = JSONDecoder()
    for line in output.split(separator: 0x0a) {
      let answer = try decoder.decode(Answer.self, from: Data(line))
      guard let address = UInt64(answer.address.dropFirst(2), radix: 16) else { continue }
      let frames = answer.symbols.map {
        ReferenceFrame(function: $0.functionName, file: $0.fileName, line: $0.line)
      }
      // A single frame without a file comes from the symbol table.
      result[address] = frames.count == 1 && frames[0].file.isEmpty ? [] : frames
    }
    return result
  }
}

/// The addresses for which the two answers differ, with both.
func differences(
  _ ours: [UInt64: [SourceFrame]], _ reference: [UInt64: [ReferenceFrame]]
) -> [String] {
  reference.keys.sorted().compactMap { address in
    let expected = reference[address] ?? []
    let found = (ours[address] ?? []).map(ReferenceFrame.init)
    guard expected != found else { return nil }
    return "0x\(String(address, radix: 16)): \(found) is not \(expected)"
  }
}
