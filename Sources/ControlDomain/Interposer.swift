// Where the image for tests (Sources/ControlImageFaulty) reaches between this domain's services and
// their guests. In the image for use nothing overrides anything here.

public import ControlCore

/// What stands between the services and their guests: nothing.
open class Interposer {
  /// Nothing.
  public init() {}

  /// Whether the devices are used for something else than to serve guests.
  open func takesOver(_ devices: Devices) -> Bool { false }
  /// A backend has mapped pages; what it uses in their place.
  open func mapped(
    _ pages: [MappedPage], of domain: DomainID, isNetwork: Bool, isRing: Bool
  ) -> [MappedPage] { pages }
  /// A backend is done with pages; those whose mapping ends now.
  open func unmapped(_ pages: [MappedPage]) -> [MappedPage] { pages }
  /// A backend has bound a port.
  open func bound(_ port: EventPort, of domain: DomainID, isNetwork: Bool) {}
  /// A backend is done with a port; whether it is to be closed.
  open func unbound(_ port: EventPort) -> Bool { true }
  /// A backend sends an event; whether the guest gets it.
  open func sends(_ port: EventPort) -> Bool { true }
  /// The page that the store, or the console's end, uses in place of a guest's.
  open func page(
    unsafePage page: UnsafeMutableRawPointer, of domain: DomainID, port: EventPort, isStore: Bool
  ) -> UnsafeMutableRawPointer { page }
  /// A guest's page for the store or the console is no longer used.
  open func forget(_ port: EventPort) {}
  /// Whether a domain is to lose its services for now, and to be served as a new one after.
  open func withdraws(_ domain: UInt16) -> Bool { false }
  /// The services have had their turn; whether they are to have another at once.
  open func turn(_ services: Services) -> Bool { false }
}
