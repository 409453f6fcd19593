// Targets for the readers of KernelImage.

@testable import KernelImage

/// Reads an ELF file, whatever its magic is, and uses what was read.
func readElf(_ input: UnsafeRawBufferPointer) {
  guard let contents = try? ElfReader.read(ImageBytes(copying: input), path: "input") else {
    return
  }
  use(KernelImage(contents, path: "input", elfPath: nil))
}

func readPortableExecutable(_ input: UnsafeRawBufferPointer) {
  let bytes = ImageBytes(copying: input)
  guard let contents = try? PortableExecutable.read(bytes, path: "input") else { return }
  use(KernelImage(contents, path: "input", elfPath: nil))
}

func readBzImage(_ input: UnsafeRawBufferPointer) {
  let contents = try? BzImage.read(
    ImageBytes(copying: input), path: "input", options: OpenOptions(unpackLimit: 8 << 20))
  guard let contents else { return }
  use(KernelImage(contents, path: "input", elfPath: nil))
}

/// Reads a file of any format, as the command does.
func readAnyImage(_ input: UnsafeRawBufferPointer) {
  let options = OpenOptions(unpackLimit: 8 << 20)
  guard
    let image = try? KernelImage.read(
      bytes: ImageBytes(copying: input), path: "input", options: options)
  else { return }
  use(image)
}

/// Takes the input for a kernel's read-only data.
///
/// The first byte chooses the width, so that both are covered.
func readKallsyms(_ input: UnsafeRawBufferPointer) {
  guard let first = input.first else { return }
  var contents = ImageContents(format: .elf64, width: first & 1 == 0 ? .bits64 : .bits32)
  let base: UInt64 = contents.width == .bits64 ? 0xffff_ffff_8100_0000 : 0xc100_0000
  contents.append(
    name: ".text", address: base, size: 0x10_0000, isExecutable: true, bytes: .empty)
  contents.append(
    name: ".rodata", address: base + 0x10_0000, size: UInt64(input.count), isExecutable: false,
    bytes: ImageBytes(copying: input.dropFirst(8)))
  contents.symbols = Kallsyms.read(contents) ?? []
  use(KernelImage(contents, path: "input", elfPath: nil))
}

func readSystemMap(_ input: UnsafeRawBufferPointer) {
  var contents = ImageContents(format: .elf64, width: .bits64)
  contents.append(
    name: ".text", address: 0xffff_ffff_8100_0000, size: 0x10_0000, isExecutable: true,
    bytes: .empty)
  let symbols = try? SystemMap.read(
    ImageBytes(copying: input), path: "input", sections: contents.sections)
  contents.symbols = symbols ?? []
  use(KernelImage(contents, path: "input", elfPath: nil))
}

/// Looks at everything that an audit would look at, so that a wrong length is noticed.
private func use(_ image: KernelImage) {
  let index = SymbolIndex(image)
  var sum: UInt64 = 0
  for section in image.sections {
    for byte in section.bytes.buffer { sum &+= UInt64(byte) }
    sum &+= UInt64(image.relocationTargets(section: section.index).count)
    for start in index.functionStarts(section: section.index) {
      let place = ImageAddress(section: section.index, address: start)
      sum &+= index.function(at: place)?.offset ?? 1
    }
  }
  for symbol in image.symbols {
    precondition(symbol.section.map(image.sections.indices.contains) ?? true)
    sum &+= UInt64(symbol.name.utf8.count)
  }
  consumed &+= sum
}

/// Keeps the work from being optimized away.
nonisolated(unsafe) private var consumed: UInt64 = 0
