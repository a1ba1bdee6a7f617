inline bool bad() {
  bool failed = false;
  PG_TRY();
  {
    try_it();
  }
  PG_CATCH();
  {
    failed = true;
  }
  PG_END_TRY();
  return failed;
}
