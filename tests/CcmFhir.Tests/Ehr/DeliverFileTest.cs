using System.Text;
using System.Text.Json.Nodes;
using CcmFhir.Ehr;
using CcmFhir.Export;
using CcmFhir.Journal;
using CcmFhir.Options;
using CcmFhir.Tests.Export;
using Microsoft.Extensions.Time.Testing;

namespace CcmFhir.Tests.Ehr;

/// <summary>Claims as 837 files: in a folder for a clearinghouse, and within a document.</summary>
public sealed class DeliverFileTest
{
    private const string Out = "out";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_claim_is_one_file_that_another_parser_reads_and_never_comes_again()
    {
        await using var scene = await SceneAsync();

        (await scene.PushAsync()).Count(Standing.Delivered).ShouldBe(15);

        var files = scene.Files();
        files.Count.ShouldBe(15);
        files.ShouldAllBe(name => name.StartsWith("maple-street-2026-10-0000000") && name.EndsWith(".837"));
        var claims = await MonthClaim.ReadAsync(scene.Demo.Streams, "maple-street", "2026-10", null, Cancel);
        var x12 = await X12File.ReadAsync(Path.Combine(scene.Folder, files[0]));
        claims
            .Select(claim => ClaimFileReader.ControlNumber(claim.Draft.Identifier))
            .ShouldContain(X12File.One(x12.Segments, "CLM")[1]);
        foreach (var name in files)
        {
            var text = await File.ReadAllTextAsync(Path.Combine(scene.Folder, name), Cancel);
            text.ShouldContain($"IEA*1*{name[^13..^4]}~");
            // The clearinghouse takes it away.
            File.Delete(Path.Combine(scene.Folder, name));
        }
        scene.Clock.Advance(TimeSpan.FromDays(1));
        (await scene.PushAsync()).Count(Standing.Delivered).ShouldBe(15);
        scene.Files().ShouldBeEmpty();
        Directory.GetFiles(scene.Folder, "*.part").ShouldBeEmpty();
    }

    [Fact]
    public async Task Two_instances_put_one_file_for_each_claim()
    {
        await using var scene = await SceneAsync();
        var other = new PushClaims(new StreamRecords(scene.Demo.Streams.Store), scene.Clock, "test-2");

        await Task.WhenAll(scene.PushAsync(), other.RunAsync(scene.Session, "2026-10", null, Cancel));

        scene.Files().Count.ShouldBe(15);
        (await scene.PushAsync()).Count(Standing.Delivered).ShouldBe(15);
        scene.Files().Count.ShouldBe(15);
    }

    [Theory]
    [InlineData(false, false, 1)]
    [InlineData(true, true, 1)]
    [InlineData(true, false, 0)]
    public async Task After_a_kill_the_file_comes_once(bool journalled, bool stillThere, int comes)
    {
        await using var scene = await SceneAsync();
        var claim = (await MonthClaim.ReadAsync(scene.Demo.Streams, "maple-street", "2026-10", null, Cancel))[0];
        var journal = new ClaimJournal(scene.Demo.Streams, scene.Clock);
        var (stream, id) = (claim.Record.Stream, claim.Journey.Id);
        await File.WriteAllTextAsync(Path.Combine(scene.Folder, ".ccmfhir"), "", Cancel);
        await journal.AppendAsync(
            stream,
            id,
            RecordKind.ClaimSent,
            new DeliveryNote
            {
                Attempt = 1,
                By = "killed",
                Until = scene.Clock.GetUtcNow().AddMinutes(1),
            },
            Cancel
        );
        if (journalled)
        {
            await journal.AppendAsync(
                stream,
                id,
                RecordKind.ClaimPartAccepted,
                new DeliveryNote { Part = 1, File = "before.837" },
                Cancel
            );
        }
        if (stillThere)
        {
            await File.WriteAllTextAsync(Path.Combine(scene.Folder, ".before.837.part"), "whole", Cancel);
        }
        var push = new PushClaims(scene.Demo.Streams, scene.Clock, "test-1");
        (await push.PushAsync(scene.Session, stream, id, Cancel))!.Standing.ShouldBe(Standing.Sending);
        scene.Files().ShouldBeEmpty();
        scene.Clock.Advance(TimeSpan.FromMinutes(2));

        (await push.PushAsync(scene.Session, stream, id, Cancel))!.Standing.ShouldBe(Standing.Delivered);

        scene.Files().Count.ShouldBe(comes);
        if (stillThere)
        {
            (await File.ReadAllTextAsync(Path.Combine(scene.Folder, "before.837"), Cancel)).ShouldBe("whole");
        }
    }

    [Fact]
    public async Task An_instance_that_was_given_up_puts_nothing_there_when_it_wakes()
    {
        await using var scene = await SceneAsync();
        var claim = (await MonthClaim.ReadAsync(scene.Demo.Streams, "maple-street", "2026-10", null, Cancel))[0];
        var (stream, id) = (claim.Record.Stream, claim.Journey.Id);
        var awake = new PushClaims(scene.Demo.Streams, scene.Clock, "awake");
        // Its time runs out just before it says that its file lies ready; another instance delivers the claim meanwhile.
        var store = new SlowStore(
            scene.Demo.Streams.Store,
            "interchange/",
            async () =>
            {
                scene.Clock.Advance(TimeSpan.FromHours(1));
                (await awake.PushAsync(scene.Session, stream, id, Cancel))!.Standing.ShouldBe(Standing.Delivered);
            }
        );

        await new PushClaims(new StreamRecords(store), scene.Clock, "late").PushAsync(
            scene.Session,
            stream,
            id,
            Cancel
        );

        scene.Files().Count.ShouldBe(1);
        Directory.GetFiles(scene.Folder, ".*.part").ShouldBeEmpty();
        (await awake.PushAsync(scene.Session, stream, id, Cancel))!.Standing.ShouldBe(Standing.Delivered);
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_told_and_waited_for()
    {
        await using var scene = await SceneAsync();
        Directory.Delete(scene.Folder);

        var report = await scene.PushAsync();

        report.Count(Standing.Waiting).ShouldBe(15);
        report.Claims[0].Text!.ShouldContain("claimFiles.folder");
        Directory.CreateDirectory(scene.Folder);
        scene.Clock.Advance(TimeSpan.FromHours(1));
        (await scene.PushAsync()).Count(Standing.Delivered).ShouldBe(15);
    }

    [Fact]
    public async Task A_claim_of_which_no_file_can_be_made_is_refused_until_it_is_mended()
    {
        await using var scene = await SceneAsync();
        var patient = await scene.Demo.CurrentAsync("maplewood", "Patient/maplewood");
        var whole = patient.DeepClone().AsObject();
        patient.Remove("address");
        await scene.Demo.TakeAsync(patient);

        var report = await scene.PushAsync();

        var refused = report.Claims.Single(claim => claim.Standing == Standing.Refused);
        refused.Text!.ShouldContain("Patient/maplewood has no address");
        await scene.Demo.TakeAsync(whole);
        var desk = new ClaimDesk(scene.Demo.Streams, scene.Clock);
        (
            await desk.ResendAsync("maple-street", scene.Session.Connection, refused.ClaimId, false, "ann", "", Cancel)
        ).Done.ShouldBeTrue();
        (await scene.PushAsync()).Count(Standing.Delivered).ShouldBe(15);
        scene.Files().Count.ShouldBe(15);
    }

    [Fact]
    public async Task A_void_follows_its_original_and_names_it()
    {
        await using var scene = await SceneAsync();
        var consent = await scene.Demo.CurrentAsync("dunmore", "Consent/dunmore-consent");
        consent["status"] = "entered-in-error";
        await scene.Demo.TakeAsync(consent);
        (await scene.Demo.CloseAsync(now: DemoJournal.Now.AddDays(1))).Issued.Count.ShouldBe(1);

        await scene.PushAsync();
        (await scene.PushAsync()).Count(Standing.Delivered).ShouldBe(16);

        var texts = scene.Files().Select(name => File.ReadAllText(Path.Combine(scene.Folder, name))).ToList();
        texts.Count(text => text.Contains(":B:8*")).ShouldBe(1);
        texts.Single(text => text.Contains(":B:8*")).ShouldContain("REF*F8*CCM");
    }

    [Fact]
    public async Task A_practice_that_names_no_folder_is_refused_at_start()
    {
        await using var demo = await DemoJournal.OpenAsync();
        var practice = JsonNode.Parse(await File.ReadAllTextAsync(demo.PracticePath, Cancel))!;
        practice["ehr"] = new JsonObject { ["deliver"] = "file" };
        var path = Path.Combine(demo.Folder, "other.json");
        await File.WriteAllTextAsync(path, practice.ToJsonString(), Cancel);

        Should.Throw<InvalidDataException>(() => PracticeFile.Read(path)).Message.ShouldContain("claimFiles.folder");
    }

    [Fact]
    public async Task A_document_carries_the_837_beside_the_claim_and_the_page()
    {
        using var ehr = new PlayedEhr { Creates = ["DocumentReference"] };
        await using var scene = await SceneAsync(practice =>
            practice["ehr"] = new JsonObject { ["baseUrl"] = ehr.BaseUrl.ToString(), ["references"] = "same-ids" }
        );

        (await scene.PushAsync()).Count(Standing.Delivered).ShouldBe(15);

        foreach (var document in ehr.Of("DocumentReference"))
        {
            var attachment = document["content"]![2]!["attachment"]!;
            attachment["contentType"]!.GetValue<string>().ShouldBe("application/EDI-X12");
            var text = Encoding.ASCII.GetString(Convert.FromBase64String(attachment["data"]!.GetValue<string>()));
            text.ShouldContain(
                "CLM*" + ClaimFileReader.ControlNumber(document["identifier"]![0]!["value"]!.GetValue<string>())
            );
        }
        ehr.Of("DocumentReference").Count().ShouldBe(15);
    }

    private static async Task<Scene> SceneAsync(Action<JsonObject>? change = null)
    {
        var demo = await DemoJournal.ClosedAsync(practice =>
        {
            practice["ehr"] = new JsonObject { ["deliver"] = "file" };
            practice["claimFiles"]!["folder"] = Out;
            change?.Invoke(practice);
        });
        return new Scene(demo);
    }

    private sealed class Scene : IAsyncDisposable
    {
        private readonly EhrSessions sessions;

        public Scene(DemoJournal demo)
        {
            Demo = demo;
            Keys = new EhrKeys(Path.Combine(demo.Folder, "keys"));
            sessions = new EhrSessions(new Practices([demo.File]), Keys, Clock);
            Directory.CreateDirectory(Folder);
        }

        public DemoJournal Demo { get; }

        public EhrKeys Keys { get; }

        public FakeTimeProvider Clock { get; } = new(DemoJournal.Now);

        public string Folder => Path.Combine(Demo.PracticeFolder, Out);

        public EhrSession Session => sessions.Find("maple-street")!;

        public Task<PushReport> PushAsync() =>
            new PushClaims(Demo.Streams, Clock, "test-1").RunAsync(Session, "2026-10", null, Cancel);

        public IReadOnlyList<string> Files() =>
            [.. Directory.GetFiles(Folder, "*.837").Select(file => Path.GetFileName(file)).Order()];

        public ValueTask DisposeAsync()
        {
            sessions.Dispose();
            return Demo.DisposeAsync();
        }
    }

    /// <summary>A journal in which something happens before the first append to some stream.</summary>
    private sealed class SlowStore(IJournalStore store, string prefix, Func<Task> before) : JournalStoreBefore(store)
    {
        private bool happened;

        public override async ValueTask<AppendResult> AppendAsync(JournalCommit commit, CancellationToken cancel)
        {
            if (!happened && commit.Appends[0].Stream.StartsWith(prefix, StringComparison.Ordinal))
            {
                happened = true;
                await before();
            }
            return await base.AppendAsync(commit, cancel);
        }

        // The journal is the scene's, who closes it.
        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
