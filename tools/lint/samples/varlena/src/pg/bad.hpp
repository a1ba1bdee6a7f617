inline const uint64* words(struct varlena* value) {
  return reinterpret_cast<const uint64*>(VARDATA_ANY(value));
}
