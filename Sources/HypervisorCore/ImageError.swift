// Why a kernel image cannot be started.

/// The first reason found, in the order in which Xen's loader looks.
public enum ImageError: Error, Hashable, Sendable {
  /// No ELF image for x86-64 or i386.
  case notELF64
  /// A header, table or segment reaches past the file's end.
  case truncated
  /// More loadable segments than the loader takes.
  case tooManySegments
  /// A 32-bit kernel without the note PAE_MODE.
  case notPAE
  /// Neither notes nor the section `__xen_guest`.
  case noNotes
  /// A feature that the kernel cannot do without is not known.
  case unknownFeature
  /// LOADER is not "generic", and GUEST_OS does not begin with "linux".
  case wrongLoader
  /// XEN_VERSION does not begin with "xen-3.0".
  case wrongVersion
  /// PADDR_OFFSET without VIRT_BASE.
  case offsetWithoutBase
  /// Segments, entry and VIRT_BASE do not fit together.
  case badAddresses
  /// INIT_P2M lies in the image or out of the guest's part of the address space.
  case badListAddress
  /// The initial region touches the hypervisor's range.
  case regionInHole
  /// The hypercall page lies outside the initial region.
  case hypercallPageOutside
  /// The domain has too little memory, or the hypervisor has.
  case tooLittleMemory
  /// The boot page tables were refused: a fault of the builder.
  case tablesRefused
  /// A saved domain of another version.
  case unknownSavedVersion
  /// A saved domain whose numbers do not go together.
  case badSavedDomain

  /// The reason in words: "The image ...
  ///
  /// ".
  public var text: StaticString {
    switch self {
    case .notELF64: "is no ELF executable for x86-64 or i386"
    case .truncated: "has a header, table or segment that reaches past the end of the file"
    case .tooManySegments: "has more than 16 loadable segments"
    case .notPAE: "is a 32-bit kernel that does not say that it knows PAE page tables (PAE_MODE)"
    case .noNotes: "has neither ELF notes with owner Xen nor a section __xen_guest"
    case .unknownFeature: "requires a feature (with ! in FEATURES) that is not known"
    case .wrongLoader: "has no LOADER=generic, and GUEST_OS does not begin with linux"
    case .wrongVersion: "has a XEN_VERSION that does not begin with xen-3.0"
    case .offsetWithoutBase: "has PADDR_OFFSET but no VIRT_BASE"
    case .badAddresses: "has segments, entry and VIRT_BASE that do not fit together"
    case .badListAddress: "has an INIT_P2M inside the image or outside the guest's addresses"
    case .regionInHole: "has an initial region that touches the hypervisor's range"
    case .hypercallPageOutside: "has a HYPERCALL_PAGE outside the initial region"
    case .tooLittleMemory: "needs more memory than the domain has"
    case .tablesRefused: "was loaded, but its page tables were refused"
    case .unknownSavedVersion: "is a saved domain of another version"
    case .badSavedDomain: "is a saved domain whose numbers do not go together"
    }
  }
}
