"""The tests that follow the fixes of rules that are not about one migration file."""

LIVE = "planning/test_live.py::test_"
MODELS = "rules/test_fixes_of_models.py::test_"
HISTORY = "history/test_fixes_of_history.py::test_"
ELSEWHERE = {
    "multiple-heads": f"{HISTORY}the_head_that_is_not_deployed_is_rebased",
    "missing-parent": f"{HISTORY}the_parent_that_git_still_has",
    "duplicate-revision": f"{HISTORY}two_files_of_one_revision",
    "revision-cycle": f"{HISTORY}a_circle",
    "edited-migration": f"{HISTORY}an_edited_migration",
    "unreadable-migration": f"{HISTORY}a_computed_identifier",
    "foreign-key-without-index": f"{MODELS}foreign_key_without_index",
    "database-drift": f"{LIVE}each_difference_is_found_and_gone_after_its_fix",
    "invalid-index": f"{LIVE}an_invalid_index_is_found_and_reindexed",
    "not-validated": f"{LIVE}a_constraint_is_found_that_no_revision_validates",
    "rows-do-not-fit": f"{LIVE}rows_that_do_not_fit_on_each_database",
    "models-out-of-sync": f"{MODELS}models_out_of_sync",
}
