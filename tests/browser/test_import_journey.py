"""From a SAM file to the files of an API in Chromium: read, reported, imported, composed, published, taken away."""

import json
import re

import pytest
import yaml
from django.contrib.auth.models import User
from playwright.sync_api import FilePayload, expect

from integrations.gateway.composition import Composition
from integrations.gateway.definition import loads
from integrations.gateway.recipes import RECIPES
from integrations.models import Integration as Entry
from integrations.models import Membership, Role, Team
from tests.browser.bench import Bench
from tests.browser.test_journey import CloudFormation, Hands

pytestmark = pytest.mark.browser

SAM = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Description: The reading room, where members look up books and leave notes.

Globals:
  Function:
    Runtime: python3.13
    Timeout: 20

Parameters:
  Stage:
    Type: String
    Default: prod

Resources:
  ReadingRoom:
    Type: AWS::Serverless::Api
    Properties:
      Name: reading-room
      StageName: !Ref Stage
      EndpointConfiguration: {Type: REGIONAL}
      BinaryMediaTypes: [application/pdf]
      DefinitionBody:
        openapi: 3.0.1
        info: {title: reading-room, version: "1.0"}
        paths:
          /notes:
            post:
              operationId: LeaveNote
              responses: {"200": {description: Taken}}
              x-amazon-apigateway-integration:
                type: aws
                httpMethod: POST
                uri: !Sub arn:${AWS::Partition}:apigateway:${AWS::Region}:sqs:path/${AWS::AccountId}/${Notes.QueueName}
                credentials: !GetAtt NotesRole.Arn
                requestParameters:
                  integration.request.header.Content-Type: "'application/x-www-form-urlencoded'"
                requestTemplates:
                  application/json: Action=SendMessage&MessageBody=$util.urlEncode($input.body)
                passthroughBehavior: never
                responses:
                  default: {statusCode: "200"}
          /members/{id}:
            get:
              operationId: GetMember
              parameters:
                - {name: id, in: path, required: true, schema: {type: string}}
              responses: {"200": {description: A member}}
              x-amazon-apigateway-integration:
                type: http_proxy
                httpMethod: GET
                uri: https://members.example.com/v1/{id}
                timeoutInMillis: 4000
                requestParameters:
                  integration.request.path.id: method.request.path.id
          /search:
            get:
              operationId: Search
              responses: {"200": {description: What was found}}
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: POST
                uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Lookup.Arn}/invocations
  Lookup:
    Type: AWS::Serverless::Function
    Properties:
      Handler: lookup.handler
      CodeUri: lookup/
  Notes:
    Type: AWS::SQS::Queue
  NotesRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: apigateway.amazonaws.com}, Action: sts:AssumeRole}]
"""


@pytest.fixture
def ada(transactional_db: None) -> User:
    team = Team.objects.create(slug="storefront", name="Storefront")
    user = User.objects.create_user("ada", "ada@example.com", "correct horse", first_name="Ada", last_name="Byron")
    Membership.objects.create(team=team, user=user, role=Role.ADMIN)
    entry = Entry(team=team, slug="get-book", created_by=user, owner="Catalogue")
    revision = entry.save_revision(RECIPES["lambda-proxy"].api, user, "First.")
    entry.publish(revision, user)
    return user


@pytest.mark.parametrize("way", ["mouse", "keyboard", "no-script"])
def test_from_a_sam_file_to_the_files_of_an_api(bench: Bench, ada: User, way: str) -> None:
    page = bench.page(ada, javascript=way != "no-script")
    hands = Hands(page, way == "keyboard")

    # Read, and looked at before anything is saved
    page.goto("/t/storefront/")
    hands.press(page.get_by_role("link", name="Import", exact=True))
    if way == "keyboard":
        page.get_by_label("Or paste the text of one").fill(SAM)
    else:
        file: FilePayload = {"name": "reading-room.yaml", "mimeType": "text/yaml", "buffer": SAM.encode()}
        page.get_by_label("Choose files, or drop them here").set_input_files([file])
    if way == "mouse":
        bench.screen(page, "import-new")
    hands.press(page.get_by_role("button", name="Read and report"))
    expect(page.get_by_text("Methods found")).to_be_visible()
    items = page.get_by_role("table").first
    for name in ("reading-room-leave-note", "reading-room-get-member", "reading-room-search"):
        expect(items).to_contain_text(name)
    expect(page.get_by_label("What to do with reading-room-leave-note")).to_have_value("create")
    assert Entry.objects.count() == 1
    if way == "mouse":
        bench.screen(page, "import")
    page.get_by_label("What to do with reading-room", exact=True).select_option("skip")
    hands.press(page.get_by_role("button", name="Import as chosen"))
    expect(page.get_by_text("Created 3.")).to_be_visible()
    if way == "mouse":
        bench.screen(page, "import-done")
    assert not Entry.objects.filter(backend="api").exists()

    # Two of its integrations and one of the catalog become an API
    hands.press(page.get_by_role("link", name="APIs", exact=True))
    page.goto("/t/storefront/new-api")
    hands.write(page.get_by_label("Name"), "Reading room")
    hands.press(page.get_by_role("button", name="Make the API"))
    expect(page).to_have_url(re.compile("/a/reading-room/"))
    hands.press(page.get_by_role("link", name="Add route"))
    for name in ("get-book", "reading-room-get-member", "reading-room-leave-note"):
        box = page.get_by_label(f"Select {name}", exact=True)
        if way == "keyboard":
            box.focus()
            page.keyboard.press("Space")
        else:
            box.check()
    hands.press(page.get_by_role("button", name="Add to the API"))
    expect(page.get_by_role("heading", level=3, name="/members/{id}")).to_be_visible()

    # One route of it is changed here alone
    hands.press(page.get_by_role("link", name=re.compile("reading-room-get-member")))
    hands.write(page.get_by_label("Timeout"), "2500")
    hands.press(page.get_by_role("button", name="Keep in the draft"))
    expect(page.get_by_text("1 option of its own")).to_be_visible()
    expect(page.locator("#m-integration-timeout_ms")).to_contain_text("had 4000")
    hands.press(page.get_by_role("link", name="Back to the routes"))
    hands.write(page.get_by_label("What changed, for the history"), "Three routes.")
    hands.press(page.get_by_role("button", name="Save r2"))
    expect(page.get_by_text("Saved r2.")).to_be_visible()
    api = Entry.objects.get(slug="reading-room")
    value = api.latest.value
    assert isinstance(value, Composition)
    assert [(use.pin, dict(use.overrides)) for use in value.uses] == [(None, {}), (1, {"/timeout_ms": 2_500}), (1, {})]

    # Published, and taken away in four formats
    hands.press(page.get_by_role("button", name="Publish r2"))
    expect(page.get_by_text("r2 is published")).to_be_visible()
    texts = {}
    for name in ("cdk-python", "cloudformation", "openapi", "definition"):
        page.goto(f"/t/storefront/i/reading-room/r/2?format={name}")
        with page.expect_download() as download:
            hands.press(page.get_by_role("link", name="Download"))
        texts[name] = download.value.path().read_text()
    resources = yaml.load(texts["cloudformation"], CloudFormation)["Resources"].values()
    methods = [each["Properties"] for each in resources if each["Type"] == "AWS::ApiGateway::Method"]
    assert sorted(each["HttpMethod"] for each in methods) == ["GET", "GET", "POST"]
    assert sorted(each["Integration"].get("TimeoutInMillis", 0) for each in methods) == [0, 2_500, 10_000]
    paths = yaml.safe_load(texts["openapi"])["paths"]
    assert sorted(paths) == ["/books/{bookId}", "/members/{id}", "/notes"]
    assert paths["/members/{id}"]["get"]["x-amazon-apigateway-integration"]["timeoutInMillis"] == 2_500
    compile(texts["cdk-python"], "api.py", "exec")
    definition = json.loads(texts["definition"])
    definition.pop("metadata")
    assert loads(json.dumps(definition)) == api.latest.api
    assert Entry.objects.get(slug="reading-room").published_number == 2
