template <class Body>
auto cpp_zone(Body body) {
  try {
    return body();
  } catch (...) {
    ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("raised inside the handler")));
  }
}
