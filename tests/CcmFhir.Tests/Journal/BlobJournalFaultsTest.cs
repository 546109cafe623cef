using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Azure.Core;
using Azure.Data.Tables;
using Azure.Identity;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using CcmFhir.Journal;

namespace CcmFhir.Tests.Journal;

/// <summary>What happens to storage, networks and instances, and what the blob journal makes of it.</summary>
public sealed class BlobJournalFaultsTest(Azurite azurite) : IAsyncLifetime
{
    private static readonly BlobJournalOptions Quick = new()
    {
        Patience = [TimeSpan.FromMilliseconds(5), TimeSpan.FromMilliseconds(20)],
    };

    private readonly string container = $"faults-{Guid.NewGuid():N}";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await azurite.ConnectionStringAsync();

    public async ValueTask DisposeAsync() => await azurite.DeleteJournalAsync(container);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Through_a_network_that_fails_nothing_is_lost_doubled_or_halved(int seed)
    {
        await using var proxy = await FaultProxy.StartAsync(await azurite.BlobPortAsync(), share: 0.15, seed);
        await using var tables = await FaultProxy.StartAsync(await azurite.TablePortAsync(), share: 0.15, seed + 10);
        var acknowledged = new ConcurrentBag<(string Stream, long Position, string Text)>();
        for (var instance = 0; instance < 2; instance++)
        {
            // The container itself is made without faults; it is not what is tried here.
            await using var _ = await OpenAsync();
        }
        await using var one = await OpenAsync((proxy.Port, tables.Port), Quick);
        await using var two = await OpenAsync((proxy.Port, tables.Port), Quick);

        await Task.WhenAll(
            Enumerable.Range(0, 12).Select(writer => WriteAsync(writer % 2 == 0 ? one : two, writer, 8, acknowledged))
        );

        proxy.Faults.ShouldBeGreaterThan(50);
        acknowledged.Count.ShouldBe(12 * 8);
        await using var plain = await OpenAsync();
        await ShouldBeWholeAsync(plain, acknowledged);
    }

    [Fact]
    public async Task A_writer_that_dies_after_any_of_its_writes_leaves_a_whole_commit_or_none()
    {
        // Writes of this commit: two streams made, the index entries (in three partitions), one rider, the deciding entry.
        var outcomes = new List<bool>();
        for (var last = 1; last <= 7; last++)
        {
            var commit = new JournalCommit(
                [new($"main {last}", 0, Bytes("main")), new("rider", last - 1, Bytes($"rides {last}"))],
                [new($"id/a/{last}", "x"), new($"id/b/{last}", "x"), new("id/c/c", $"{last}", Replaces: $"{last - 1}")]
            );
            using var death = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            var counted = new WritesCounted { Written = write => Die(death, write >= last) };
            await using (var dying = await OpenAsync(counted: counted))
            {
                counted.Reset();
                try
                {
                    await dying.AppendAsync(commit, death.Token);
                }
                catch (OperationCanceledException)
                {
                    // Dead.
                }
            }

            await using var other = await OpenAsync(options: Quick);
            var main = await other.ReadAsync($"main {last}", 0, Cancel);
            var committed = main.Count == 1;
            outcomes.Add(committed);
            (await other.FindAsync($"id/a/{last}", Cancel)).ShouldBe(committed ? "x" : null);
            (await other.FindAsync($"id/b/{last}", Cancel)).ShouldBe(committed ? "x" : null);
            (await other.FindAsync("id/c/c", Cancel)).ShouldBe(
                committed ? $"{last}"
                : last == 1 ? null
                : $"{last - 1}"
            );
            (await other.ReadAsync("rider", 0, Cancel)).Count.ShouldBe(committed ? last : last - 1);
            var listed = await other.ListAsync("", null, Cancel).Select(entry => entry.Key).ToListAsync(Cancel);
            listed.Contains($"id/a/{last}").ShouldBe(committed);

            // Somebody else may take all that it had laid its hand on; or the same commit is tried again.
            if (last % 2 == 0)
            {
                (await other.AppendAsync(commit, Cancel)).Outcome.ShouldBe(AppendOutcome.Appended);
            }
            else if (!committed)
            {
                (
                    await other.AppendAsync(
                        new JournalCommit(
                            [new("rider", last - 1, Bytes($"taken {last}"))],
                            [new($"id/b/{last}", "taken"), new("id/c/c", $"{last}", Replaces: $"{last - 1}")]
                        ),
                        Cancel
                    )
                ).Outcome.ShouldBe(AppendOutcome.Appended);
                (await other.AppendAsync(commit, Cancel)).Outcome.ShouldBe(AppendOutcome.LostRace);
                (await other.FindAsync($"id/a/{last}", Cancel)).ShouldBeNull();
                (await other.FindAsync($"id/b/{last}", Cancel)).ShouldBe("taken");
            }
            (await other.ReadAsync("rider", 0, Cancel)).Count.ShouldBe(last);
            (await other.FindAsync("id/c/c", Cancel)).ShouldBe($"{last}");
        }
        outcomes.ShouldContain(true);
        outcomes.Count(outcome => !outcome).ShouldBeGreaterThan(3);
    }

    [Fact]
    public async Task Commits_of_two_instances_whose_riders_cross_are_whole()
    {
        await using var one = await OpenAsync(options: Quick);
        await using var two = await OpenAsync(options: Quick);
        var acknowledged = new ConcurrentBag<string>();

        await Task.WhenAll(
            CrossAsync(one, "left", "right", "1"),
            CrossAsync(two, "right", "left", "2"),
            CrossAsync(one, "left", "right", "3"),
            CrossAsync(two, "middle", "right", "4")
        );

        acknowledged.Count.ShouldBe(24);
        await using var other = await OpenAsync();
        var all = new List<string>();
        foreach (var stream in (string[])["left", "right", "middle"])
        {
            all.AddRange((await other.ReadAsync(stream, 0, Cancel)).Select(Text));
        }
        all.Order().ShouldBe(acknowledged.SelectMany(text => new[] { $"main {text}", $"rider {text}" }).Order());

        async Task CrossAsync(BlobJournalStore store, string main, string rider, string name)
        {
            for (var i = 0; i < 6; i++)
            {
                var (text, outcome) = ($"{name}.{i}", AppendOutcome.LostRace);
                while (outcome != AppendOutcome.Appended)
                {
                    var (mainAt, riderAt) = (
                        (await store.ReadAsync(main, 0, Cancel)).Count,
                        (await store.ReadAsync(rider, 0, Cancel)).Count
                    );
                    try
                    {
                        outcome = (
                            await store.AppendAsync(
                                new JournalCommit(
                                    [
                                        new(main, mainAt, Bytes($"main {text}")),
                                        new(rider, riderAt, Bytes($"rider {text}")),
                                    ],
                                    []
                                ),
                                Cancel
                            )
                        ).Outcome;
                    }
                    catch (JournalUnavailableException)
                    {
                        // Too much of a crowd: look again. It is not there, since only an answer or a lost race ends a commit's tries.
                    }
                }
                acknowledged.Add(text);
            }
        }
    }

    [Fact]
    public async Task What_a_killed_process_had_acknowledged_is_there()
    {
        var setting = $"azure:{await azurite.ConnectionStringAsync()};Container={container}";
        var said = new List<(string Stream, long Position, string Text)>();
        for (var round = 0; round < 3; round++)
        {
            said.AddRange(await KilledWriter.RunAsync(setting, $"r{round}", 15 + (round * 10), Cancel));
        }

        await using var store = await OpenAsync(options: Quick);
        await ShouldBeWholeAsync(store, said);
    }

    [Fact]
    public async Task A_stream_goes_on_in_the_next_segment_before_its_blob_is_full()
    {
        var small = Quick with { MostBlocks = 5 };
        await using var one = await OpenAsync(options: small);
        await using var two = await OpenAsync(options: small);
        for (var i = 0; i < 23; i++)
        {
            var answer = await (i % 3 == 0 ? one : two).AppendAsync(
                new JournalCommit([new("s", i, Bytes($"{i}")), new($"rider {i}", 0, Bytes("x"))], [new($"k{i}", "s")]),
                Cancel
            );
            answer.Outcome.ShouldBe(AppendOutcome.Appended);
        }

        await using var other = await OpenAsync(options: small);
        (await other.ReadAsync("s", 0, Cancel)).Select(Text).ShouldBe(Enumerable.Range(0, 23).Select(i => $"{i}"));
        (await other.ReadAsync("s", 21, Cancel)).Select(Text).ShouldBe(["21", "22"]);
        (await one.ReadAsync("s", 20, Cancel)).Select(Text).ShouldBe(["20", "21", "22"]);
        (await other.FindAsync("k9", Cancel)).ShouldBe("s");
        (await other.StreamsAsync(Cancel).ToListAsync(Cancel)).Count.ShouldBe(24);
        (await other.CheckAsync(Cancel).ToListAsync(Cancel)).ShouldBeEmpty();
        (await NamesAsync(BlobNames.Streams))
            .Count(name => !name.EndsWith("/00000", StringComparison.Ordinal))
            .ShouldBe(4);
    }

    [Fact]
    public async Task A_payload_that_fits_no_block_lies_in_a_blob_of_its_own()
    {
        var small = Quick with { LargestInBlock = 100 };
        await using var store = await OpenAsync(options: small);
        var (large, riding) = (new string('x', 5000), new string('y', 101));
        await store.AppendAsync(new JournalCommit([new("s", 0, Bytes(large)), new("t", 0, Bytes(riding))], []), Cancel);
        await store.AppendAsync(new JournalCommit([new("s", 1, Bytes("small"))], []), Cancel);

        await using var other = await OpenAsync();
        (await other.ReadAsync("s", 0, Cancel)).Select(Text).ShouldBe([large, "small"]);
        (await other.ReadAsync("t", 0, Cancel)).Select(Text).ShouldBe([riding]);

        var lost = (await NamesAsync(BlobNames.Payloads)).ShouldNotBeNull();
        lost.Count.ShouldBe(2);
        foreach (var name in lost)
        {
            await (await ContainerAsync()).DeleteBlobAsync(name, cancellationToken: Cancel);
        }
        (
            await Should.ThrowAsync<JournalUnreadableException>(async () => await other.ReadAsync("s", 0, Cancel))
        ).Message.ShouldContain("gone");
    }

    [Fact]
    public async Task Names_of_blobs_say_nothing()
    {
        await using var store = await OpenAsync(options: new BlobJournalOptions { LargestInBlock = 10 });
        await store.AppendAsync(
            new JournalCommit(
                [new("patient/riverside/MRN-4711", 0, Bytes("a payload beyond ten bytes"))],
                [new("identifier/riverside/Patient/1EG4-TE5-MK73/p", "patient/riverside/MRN-4711")]
            ),
            Cancel
        );

        foreach (var name in await NamesAsync(""))
        {
            name.ShouldMatch("^(journal|[sp](/[0-9a-f]{5,40})+)$");
        }
        var rows = await (await TableAsync()).QueryAsync<TableEntity>().ToListAsync(Cancel);
        rows.RemoveAll(row => row.RowKey == BlobNames.MovedRow);
        $"{rows.ShouldHaveSingleItem().PartitionKey}/{rows[0].RowKey}".ShouldMatch(
            "^[0-9a-f]{16}/([0-9a-f]{16}-){4}[0-9a-f]{40}$"
        );
    }

    [Fact]
    public async Task A_bundle_for_a_known_patient_takes_one_write_and_no_read_on_a_warm_instance()
    {
        var counted = new WritesCounted();
        await using var store = await OpenAsync(counted: counted);
        IndexEntry[] known =
        [
            new("month/riverside/2026-10/p1", "patient/riverside/p1"),
            new("enrolled/riverside/p1", "x"),
        ];
        await store.AppendAsync(new JournalCommit([new("patient/riverside/p1", 0, new byte[13_600])], known), Cancel);

        counted.Reset();
        await store.AppendAsync(new JournalCommit([new("patient/riverside/p1", 1, new byte[13_601])], known), Cancel);
        (counted.Writes, counted.Reads).ShouldBe((1, 0));

        // A new month is one write more, a known resource of the directory that rides along one more.
        await store.AppendAsync(
            new JournalCommit([new("directory/riverside/Organization/o1", 0, Bytes("o"))], []),
            Cancel
        );
        counted.Reset();
        await store.AppendAsync(
            new JournalCommit(
                [
                    new("patient/riverside/p1", 2, new byte[13_602]),
                    new("directory/riverside/Organization/o1", 1, Bytes("o2")),
                ],
                [.. known, new("month/riverside/2026-11/p1", "patient/riverside/p1")]
            ),
            Cancel
        );
        (counted.Writes, counted.Reads).ShouldBe((3, 0));

        // Ten resources that the patient did not have yet: their ids are one write together.
        counted.Reset();
        await store.AppendAsync(
            new JournalCommit(
                [new("patient/riverside/p1", 3, new byte[13_605])],
                [
                    .. known,
                    .. Enumerable
                        .Range(0, 10)
                        .Select(task => new IndexEntry($"id/riverside/Task/p1-{task}", "patient/riverside/p1")),
                ]
            ),
            Cancel
        );
        (counted.Writes, counted.Reads).ShouldBe((2, 0));

        // A new stream is made before it is appended to, and is looked for before that.
        counted.Reset();
        await store.AppendAsync(new JournalCommit([new("patient/riverside/p2", 0, new byte[13_603])], []), Cancel);
        (counted.Writes, counted.Reads).ShouldBe((2, 1));

        // A value that replaces another is read first, and replaces by condition.
        counted.Reset();
        await store.AppendAsync(
            new JournalCommit(
                [new("patient/riverside/p1", 4, new byte[13_604])],
                [new("enrolled/riverside/p1", "y", Replaces: "x")]
            ),
            Cancel
        );
        (counted.Writes, counted.Reads).ShouldBe((2, 1));
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("cut inside a block")]
    [InlineData("changed")]
    [InlineData("foreign")]
    [InlineData("swapped")]
    public async Task A_stream_whose_blob_was_tampered_with_is_not_read(string how)
    {
        await using var store = await OpenAsync();
        for (var i = 0; i < 3; i++)
        {
            await store.AppendAsync(new JournalCommit([new("s", i, Bytes($"entry number {i}"))], []), Cancel);
            await store.AppendAsync(new JournalCommit([new("t", i, Bytes($"other number {i}"))], []), Cancel);
        }
        var client = await ContainerAsync();
        var name = await StreamBlobAsync(client, "s");
        var bytes = (await client.GetBlobClient(name).DownloadContentAsync(Cancel)).Value.Content.ToArray();
        var block = bytes.Length / 3;
        var instead = how switch
        {
            "cut" => bytes[..^block],
            "cut inside a block" => bytes[..^5],
            "changed" => [.. bytes[..^3], (byte)(bytes[^3] ^ 1), .. bytes[^2..]],
            "foreign" => Bytes("<html>a page about storage</html>"),
            _ => [.. bytes[block..(2 * block)], .. bytes[..block], .. bytes[(2 * block)..]],
        };
        await RewriteAsync(client, name, instead);

        // The instance that knew the stream notices all of it; a fresh one cannot miss whole blocks at the end, but all else.
        await Should.ThrowAsync<JournalUnreadableException>(async () =>
            await (how == "cut" ? store : await OpenAsync()).ReadAsync("s", how == "cut" ? 3 : 0, Cancel)
        );
        (await store.ReadAsync("t", 0, Cancel)).Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_container_that_holds_something_else_is_refused_and_left_alone()
    {
        var client = await ContainerAsync();
        await client.CreateAsync(cancellationToken: Cancel);
        await client.UploadBlobAsync("reports/2026.pdf", BinaryData.FromString("x"), Cancel);

        var fault = await Should.ThrowAsync<JournalUnreadableException>(() => OpenAsync());

        fault.Message.ShouldContain(container);
        (await NamesAsync("")).ShouldBe(["reports/2026.pdf"]);
    }

    [Theory]
    [InlineData(
        "{\"Program\":\"ccmfhir journal\",\"Format\":2,\"Key\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}",
        "format 2"
    )]
    [InlineData("{}", "not a journal")]
    [InlineData("cut", "not a journal")]
    public async Task A_marker_of_a_later_release_or_of_others_is_refused(string marker, string says)
    {
        var client = await ContainerAsync();
        await client.CreateAsync(cancellationToken: Cancel);
        await client.UploadBlobAsync(BlobNames.Marker, BinaryData.FromString(marker), Cancel);

        (await Should.ThrowAsync<JournalUnreadableException>(() => OpenAsync())).Message.ShouldContain(says);
    }

    [Fact]
    public async Task Blobs_that_do_not_belong_there_are_found_by_the_check()
    {
        await using var store = await OpenAsync();
        await store.AppendAsync(new JournalCommit([new("s", 0, Bytes("x"))], [new("k", "s")]), Cancel);
        var client = await ContainerAsync();
        await client.UploadBlobAsync("notes.txt", BinaryData.FromString("x"), Cancel);
        await (await TableAsync()).AddEntityAsync(new TableEntity("0123", "4567"), Cancel);
        await client.UploadBlobAsync("s/0123/00000", BinaryData.FromString("x"), Cancel);

        var faults = await store.CheckAsync(Cancel).ToListAsync(Cancel);

        faults.Count.ShouldBe(3);
        faults.ShouldContain(fault => fault.Contains("notes.txt"));
    }

    [Fact]
    public async Task An_identity_that_cannot_be_had_now_is_storage_that_is_away()
    {
        var fault = await Should.ThrowAsync<JournalUnavailableException>(() =>
            StorageFaults.GuardAsync<int>(
                "container 'journal'",
                () => throw new AuthenticationFailedException("the identity's endpoint is throttling")
            )
        );
        fault.Message.ShouldBe("The journal's container 'journal' cannot be reached now.");
    }

    [Fact]
    public async Task Storage_that_is_away_is_unavailable()
    {
        const string Nobody =
            "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=c2VjcmV0;BlobEndpoint=http://127.0.0.1:1/a;TableEndpoint=http://127.0.0.1:1/a";
        await Should.ThrowAsync<JournalUnavailableException>(() =>
            BlobJournalStore.OpenAsync(
                JournalStores.Container(Nobody, settings => settings.Retry.MaxRetries = 0),
                JournalStores.IndexTable(Nobody),
                new RealTime(),
                Quick,
                make: true,
                Cancel
            )
        );

        await using var store = await OpenAsync();
        await (await ContainerAsync()).DeleteAsync(cancellationToken: Cancel);
        var fault = await Should.ThrowAsync<JournalUnavailableException>(async () =>
            await store.AppendAsync(new JournalCommit([new("s", 0, Bytes("x"))], []), Cancel)
        );
        fault.Message.ShouldContain(container);
    }

    [Theory]
    [InlineData("https://acme.blob.core.windows.net", "https://acme.blob.core.windows.net/journal")]
    [InlineData("https://acme.blob.core.windows.net/mine", "https://acme.blob.core.windows.net/mine")]
    [InlineData(
        "https://acme.blob.core.windows.net/mine?sv=2024-01-01&sig=x",
        "https://acme.blob.core.windows.net/mine?sv=2024-01-01&sig=x"
    )]
    [InlineData("UseDevelopmentStorage=true", "http://127.0.0.1:10000/devstoreaccount1/journal")]
    [InlineData("UseDevelopmentStorage=true;Container=mine", "http://127.0.0.1:10000/devstoreaccount1/mine")]
    public void An_address_or_connection_string_names_the_container(string text, string address) =>
        JournalStores.Container(text).Uri.ToString().ShouldBe(address);

    [Theory]
    [InlineData("https://acme.blob.core.windows.net", "https://acme.table.core.windows.net/ccmjournalindex")]
    [InlineData("https://acme.blob.core.windows.net/mine", "https://acme.table.core.windows.net/ccmmineindex")]
    [InlineData("UseDevelopmentStorage=true", "http://127.0.0.1:10002/devstoreaccount1/ccmjournalindex")]
    public void The_index_lies_in_a_table_of_the_same_account(string text, string address) =>
        JournalStores.IndexTable(text).Uri.ToString().ShouldBe(address);

    [Fact]
    public void Containers_whose_names_differ_by_hyphens_have_different_tables() =>
        JournalStores
            .IndexTable("UseDevelopmentStorage=true;Container=a-b")
            .Name.ShouldNotBe(JournalStores.IndexTable("UseDevelopmentStorage=true;Container=ab").Name);

    [Fact]
    public void A_setting_that_is_no_connection_string_is_refused_without_being_repeated() =>
        Should
            .Throw<ArgumentException>(() => JournalStores.Container("AccountKey=c2VjcmV0;AccountName"))
            .Message.ShouldNotContain("c2VjcmV0");

    private static void Die(CancellationTokenSource death, bool now)
    {
        if (now)
        {
            death.Cancel();
        }
    }

    private static async Task WriteAsync(
        BlobJournalStore store,
        int writer,
        int commits,
        ConcurrentBag<(string, long, string)> acknowledged
    )
    {
        var stream = $"stream {writer % 4}";
        var position = 0L;
        for (var i = 0; i < commits; i++)
        {
            var text = string.Create(CultureInfo.InvariantCulture, $"{writer}.{i}");
            while (true)
            {
                var commit = new JournalCommit(
                    [new(stream, position, Bytes(text)), new($"rider of {text}", 0, Bytes(text))],
                    [new($"id/{text}", stream)]
                );
                try
                {
                    var answer = await store.AppendAsync(commit, Cancel);
                    if (answer.Outcome == AppendOutcome.Appended)
                    {
                        break;
                    }
                    answer.Outcome.ShouldBe(AppendOutcome.LostRace);
                    answer.Stream.ShouldBe(stream);
                    position = answer.Position;
                }
                catch (JournalUnavailableException)
                {
                    // The outcome is not known: the same commit again.
                }
            }
            acknowledged.Add((stream, ++position, text));
        }
    }

    private static async Task ShouldBeWholeAsync(
        BlobJournalStore store,
        IEnumerable<(string Stream, long Position, string Text)> acknowledged
    )
    {
        var said = acknowledged.ToList();
        var all = new List<string>();
        foreach (var stream in said.Select(entry => entry.Stream).Distinct().ToList())
        {
            var entries = await store.ReadAsync(stream, 0, Cancel);
            foreach (var (_, position, text) in said.Where(entry => entry.Stream == stream))
            {
                Text(entries[(int)position - 1]).TrimEnd().ShouldBe(text);
            }
            all.AddRange(entries.Select(entry => Text(entry).TrimEnd()));
        }
        // What was not said may be there too, but whole and once.
        all.ShouldBeUnique();
        foreach (var text in all)
        {
            (await store.ReadAsync($"rider of {text}", 0, Cancel)).Count.ShouldBe(1);
            (await store.FindAsync($"id/{text}", Cancel)).ShouldNotBeNull();
        }
        (await store.ListAsync("id/", null, Cancel).CountAsync(Cancel)).ShouldBe(all.Count);
        (
            await store
                .StreamsAsync(Cancel)
                .Where(name => name.StartsWith("rider", StringComparison.Ordinal))
                .CountAsync(Cancel)
        ).ShouldBe(all.Count);
        (await store.CheckAsync(Cancel).ToListAsync(Cancel)).ShouldBeEmpty();
    }

    private async Task<BlobJournalStore> OpenAsync(
        (int Blobs, int Tables)? through = null,
        BlobJournalOptions? options = null,
        WritesCounted? counted = null
    )
    {
        var place = $"{await azurite.ConnectionStringAsync(through?.Blobs, through?.Tables)};Container={container}";
        return await BlobJournalStore.OpenAsync(
            JournalStores.Container(place, Configure),
            JournalStores.IndexTable(place, Configure),
            new RealTime(),
            options,
            make: true,
            Cancel
        );

        void Configure(ClientOptions settings)
        {
            settings.Retry.Delay = TimeSpan.FromMilliseconds(5);
            settings.Retry.MaxRetries = 8;
            if (counted is not null)
            {
                settings.AddPolicy(counted, HttpPipelinePosition.PerCall);
            }
        }
    }

    private async Task<BlobContainerClient> ContainerAsync() =>
        JournalStores.Container($"{await azurite.ConnectionStringAsync()};Container={container}");

    private async Task<TableClient> TableAsync() =>
        JournalStores.IndexTable($"{await azurite.ConnectionStringAsync()};Container={container}");

    private async Task<List<string>> NamesAsync(string prefix) =>
        await (await ContainerAsync())
            .GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, Cancel)
            .Select(blob => blob.Name)
            .ToListAsync(Cancel);

    private static async Task<string> StreamBlobAsync(BlobContainerClient client, string stream)
    {
        await foreach (
            var blob in client.GetBlobsAsync(BlobTraits.Metadata, BlobStates.None, BlobNames.Streams, Cancel)
        )
        {
            if (BlobText.Read(blob.Metadata["n"]) == stream)
            {
                return blob.Name;
            }
        }
        throw new InvalidOperationException("There is no such stream.");
    }

    private static async Task RewriteAsync(BlobContainerClient client, string name, byte[] bytes)
    {
        var facts = (await client.GetBlobClient(name).GetPropertiesAsync(cancellationToken: Cancel)).Value.Metadata;
        await client.DeleteBlobAsync(name, cancellationToken: Cancel);
        await client
            .GetBlobClient(name)
            .UploadAsync(new BinaryData(bytes), new BlobUploadOptions { Metadata = facts }, Cancel);
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(JournalEntry entry) => Encoding.UTF8.GetString(entry.Payload.Span);
}
