inline bool bad() {
  PG_TRY();
  {
    return true;
  }
  PG_CATCH();
  {
    PG_RE_THROW();
  }
  PG_END_TRY();
}
