"""The URLs of the app."""

from django.urls import path

from integrations.views import (
    apis,
    bulk,
    catalog,
    deploy,
    editor,
    entrance,
    entry,
    environments,
    exports,
    history,
    imports,
    merge,
    method_test,
    new,
    operations,
    preferences,
    simulate,
    take_over,
    team,
    trash,
    uses,
)

urlpatterns = [
    path("", catalog.home, name="home"),
    path("preferences", preferences.preferences, name="preferences"),
    # Ways in
    path("sign-in/<str:secret>", entrance.sign_in_link, name="sign-in-link"),
    path("invitations/<str:secret>", entrance.invitation, name="invitation"),
    # Team
    path("t/<slug:team>/settings/members", team.team, name="team"),
    path("t/<slug:team>/settings/members/<int:member>/role", team.member_role, name="member-role"),
    path("t/<slug:team>/settings/members/<int:member>/remove", team.member_remove, name="member-remove"),
    path("t/<slug:team>/settings/invitations/<int:invitation>/withdraw", team.invitation_withdraw, name="invitation-withdraw"),
    path("t/<slug:team>/settings/tokens", team.tokens, name="team-tokens"),
    path("t/<slug:team>/settings/tokens/<int:token>/revoke", team.token_revoke, name="token-revoke"),
    path("t/<slug:team>/settings/audit", team.audit, name="team-audit"),
    path("t/<slug:team>/settings/audit.csv", team.audit_csv, name="team-audit-csv"),
    # Environments
    path("t/<slug:team>/settings/environments", environments.environments, name="environments"),
    path("t/<slug:team>/settings/environments/new", environments.new, name="environment-new"),
    path("t/<slug:team>/settings/environments/<slug:environment>", environments.environment, name="environment"),
    path(
        "t/<slug:team>/settings/environments/<slug:environment>/values",
        environments.environment_values,
        name="environment-values",
    ),
    path(
        "t/<slug:team>/settings/environments/<slug:environment>/identity",
        environments.environment_identity,
        name="environment-identity",
    ),
    path(
        "t/<slug:team>/settings/environments/<slug:environment>/remove",
        environments.environment_remove,
        name="environment-remove",
    ),
    # Catalog
    path("t/<slug:team>/", catalog.catalog, name="catalog"),
    path("t/<slug:team>/bulk", bulk.bulk, name="bulk"),
    path("t/<slug:team>/new", new.new, name="new"),
    path("t/<slug:team>/trash", trash.trash, name="trash"),
    path("t/<slug:team>/trash/restore", trash.restore, name="restore"),
    # Imports
    path("t/<slug:team>/import", imports.new, name="import-new"),
    path("t/<slug:team>/import/<int:number>", imports.report, name="import"),
    # An API
    path("t/<slug:team>/new-api", apis.new, name="api-new"),
    path("t/<slug:team>/a/<slug:slug>/", apis.api, name="api"),
    path("t/<slug:team>/a/<slug:slug>/draft", apis.draft, name="api-draft"),
    path("t/<slug:team>/a/<slug:slug>/in-place", apis.in_place, name="api-in-place"),
    path("t/<slug:team>/a/<slug:slug>/settings", apis.settings, name="api-settings"),
    path("t/<slug:team>/a/<slug:slug>/routes/add", apis.add, name="api-add"),
    path("t/<slug:team>/a/<slug:slug>/routes/<int:index>", apis.route, name="api-route"),
    path("t/<slug:team>/pins", uses.pins, name="pins"),
    # An integration
    path("t/<slug:team>/i/<slug:slug>/", entry.integration, name="integration"),
    path("t/<slug:team>/i/<slug:slug>/used", uses.used, name="used"),
    path("t/<slug:team>/i/<slug:slug>/duplicate", new.duplicate, name="duplicate"),
    # Editor
    path("t/<slug:team>/i/<slug:slug>/edit", editor.edit, name="integration-edit"),
    path("t/<slug:team>/i/<slug:slug>/check", editor.check, name="integration-check"),
    path("t/<slug:team>/i/<slug:slug>/act", editor.act, name="integration-act"),
    path("t/<slug:team>/i/<slug:slug>/discard", editor.discard, name="integration-discard"),
    # Simulator
    path("t/<slug:team>/i/<slug:slug>/simulate", simulate.simulate, name="simulate"),
    path("t/<slug:team>/i/<slug:slug>/cases", simulate.save_case, name="case-save"),
    path("t/<slug:team>/i/<slug:slug>/cases/<int:case>/remove", simulate.remove_case, name="case-remove"),
    path("t/<slug:team>/fidelity", simulate.fidelity, name="ledger"),
    # History
    path("t/<slug:team>/i/<slug:slug>/history", history.history, name="history"),
    path("t/<slug:team>/i/<slug:slug>/r/<int:number>", history.revision, name="revision"),
    path("t/<slug:team>/i/<slug:slug>/r/<int:number>/publish", history.publish, name="revision-publish"),
    path("t/<slug:team>/i/<slug:slug>/r/<int:number>/restore", history.restore, name="revision-restore"),
    path("t/<slug:team>/i/<slug:slug>/merge", merge.merge, name="integration-merge"),
    # Deployment
    path("t/<slug:team>/take-over", take_over.take_over, name="take-over"),
    path("t/<slug:team>/i/<slug:slug>/deploy", deploy.deploy, name="deploy"),
    path("t/<slug:team>/i/<slug:slug>/deploy/<slug:environment>", deploy.deploy_environment, name="deploy-environment"),
    path("t/<slug:team>/i/<slug:slug>/deploy/<slug:environment>/place", deploy.deploy_place, name="deploy-place"),
    path("t/<slug:team>/i/<slug:slug>/deploy/<slug:environment>/values", deploy.deploy_values, name="deploy-values"),
    path("t/<slug:team>/i/<slug:slug>/deploy/<slug:environment>/plan", deploy.plan_make, name="plan-make"),
    path("t/<slug:team>/i/<slug:slug>/deploy/<slug:environment>/read", deploy.deploy_read, name="deploy-read"),
    path("t/<slug:team>/i/<slug:slug>/deploy/<slug:environment>/test", method_test.method_test, name="method-test"),
    path("t/<slug:team>/i/<slug:slug>/deploy/<slug:environment>/drift", deploy.deploy_drift, name="deploy-drift"),
    path("t/<slug:team>/i/<slug:slug>/deploy/<slug:environment>/compare", deploy.deploy_compare, name="deploy-compare"),
    path("t/<slug:team>/plans/<int:proposal>", operations.plan, name="plan"),
    path("t/<slug:team>/deployments", operations.operations, name="operations"),
    path("t/<slug:team>/deployments/<int:operation>", operations.operation, name="operation"),
    path("t/<slug:team>/deployments/<int:operation>/log", operations.operation_log, name="operation-log"),
    path("t/<slug:team>/deployments/<int:operation>/cancel", operations.operation_cancel, name="operation-cancel"),
    path("t/<slug:team>/deployments/<int:operation>/approve", operations.operation_approve, name="operation-approve"),
    # Files
    path("t/<slug:team>/i/<slug:slug>/export/<slug:format>", exports.export, name="export"),
    path("t/<slug:team>/i/<slug:slug>/r/<int:number>/export/<slug:format>", exports.export, name="revision-export"),
    path("t/<slug:team>/i/<slug:slug>/draft/export/<slug:format>", exports.draft_export, name="draft-export"),
]
