// The exports of this package stand here, by name.
export {}
