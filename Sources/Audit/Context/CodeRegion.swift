// Code that the plain sweep of executable sections would miss or decode in the wrong width: the
// real-mode blob, embedded ELF images, templates in .rodata, 32-bit entry points.

public import KernelImage

/// Code of one width that an image holds outside its ordinary code.
public struct CodeRegion: Sendable, Hashable {
  /// Index into ``KernelImage/sections``.
  public var sectionIndex: Int
  /// Addresses; relative to the section in a relocatable file.
  public var range: Range<UInt64>
  public var width: CodeWidth
  /// The section is not executable, so no sweep of executable sections reads this.
  public var isData: Bool
  /// The code ends with the range; else the range is as far as it can reach, and it ends at its first
  /// far transfer, where the width may change.
  public var endIsKnown = true
  /// Who says so: `real-mode blob`, `optprobe template`, `PVH entry note`.
  public var origin: String

  /// Who executes a region's code in the end.
  public enum Owner: Sendable {
    /// The kernel itself, like its ordinary code.
    case kernel
    /// Programs in user mode, to which the kernel maps it.
    case user
    /// The bare machine, before the kernel runs in its own width or after it has gone.
    case machine
  }

  /// Who executes this code in the end, as its origin tells.
  public var owner: Owner {
    switch origin {
    case EmbeddedELF.sharedObject: .user
    case MarkedCode.template: .kernel
    default: .machine
    }
  }

  /// The regions of `image`, in order of section and address.
  ///
  /// They come from symbols, headers and notes that any image can have; where those are missing or
  /// contradict themselves, nothing is claimed.
  public static func regions(of image: KernelImage) -> [CodeRegion] {
    let symbols = MarkerSymbols(image: image)
    var regions = RealModeBlob.regions(of: image, symbols: symbols)
    regions += EmbeddedELF.regions(of: image)
    regions += MarkedCode.regions(of: image, symbols: symbols)
    regions += EntryCode.regions(of: image)
    var seen: Set<CodeRegion> = []
    return regions.filter { !$0.range.isEmpty && seen.insert($0).inserted }.sorted {
      ($0.sectionIndex, $0.range.lowerBound, $0.range.upperBound, $0.width.rawValue, $0.origin)
        < (
          $1.sectionIndex, $1.range.lowerBound, $1.range.upperBound, $1.width.rawValue, $1.origin
        )
    }
  }
}

extension CodeRegion {
  /// A region at an offset range of a section; `nil` where the section does not hold it.
  init?(section: ImageSection, offsets: Range<Int>, width: CodeWidth, origin: String) {
    guard offsets.lowerBound >= 0, offsets.upperBound <= section.bytes.count, !offsets.isEmpty
    else { return nil }
    let start = section.address.addingReportingOverflow(UInt64(offsets.lowerBound))
    let end = section.address.addingReportingOverflow(UInt64(offsets.upperBound))
    guard !start.overflow, !end.overflow else { return nil }
    sectionIndex = section.index
    range = start.partialValue..<end.partialValue
    self.width = width
    isData = !section.isExecutable
    self.origin = origin
  }
}
