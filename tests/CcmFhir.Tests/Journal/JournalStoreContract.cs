using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using CcmFhir.Journal;

namespace CcmFhir.Tests.Journal;

/// <summary>What every journal store keeps to. One class a store inherits it.</summary>
public abstract class JournalStoreContract : IAsyncLifetime
{
    private IJournalStore? store;

    private protected IJournalStore Store => store!;

    private protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Opens the store of this test; called again it opens the same one anew.</summary>
    private protected abstract ValueTask<IJournalStore> OpenAsync();

    /// <summary>Leaves nothing behind.</summary>
    private protected abstract ValueTask CleanAsync();

    public async ValueTask InitializeAsync() => store = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        if (store is not null)
        {
            await store.DisposeAsync();
        }
        await CleanAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task An_appended_entry_is_read_back()
    {
        (await AppendAsync("patient/a/1", 0, "one")).Outcome.ShouldBe(AppendOutcome.Appended);

        var entry = (await Store.ReadAsync("patient/a/1", 0, Cancel)).ShouldHaveSingleItem();
        entry.Position.ShouldBe(1);
        Text(entry).ShouldBe("one");
    }

    [Fact]
    public async Task A_stream_that_is_not_there_reads_as_empty()
    {
        (await Store.ReadAsync("patient/a/none", 0, Cancel)).ShouldBeEmpty();
        (await Store.ReadAsync("patient/a/none", 5, Cancel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Entries_are_read_in_order_after_a_position()
    {
        await FillAsync("s", 5);

        (await ReadAsync("s", 0)).ShouldBe(["0", "1", "2", "3", "4"]);
        (await ReadAsync("s", 3)).ShouldBe(["3", "4"]);
        (await Store.ReadAsync("s", 3, Cancel)).Select(entry => entry.Position).ShouldBe([4, 5]);
        (await ReadAsync("s", 5)).ShouldBeEmpty();
        (await ReadAsync("s", 99)).ShouldBeEmpty();
    }

    /// <summary>A store may say that it would have to read the stream; it never names another position.</summary>
    [Fact]
    public async Task An_append_at_the_end_without_a_new_key_of_its_own_is_no_commit()
    {
        StreamAppend[][] wrong =
        [
            [StreamAppend.AtEnd("s", [], "x"u8.ToArray())],
            [StreamAppend.AtEnd("s", ["another"], "x"u8.ToArray())],
            [new StreamAppend("s", StreamAppend.End, "x"u8.ToArray())],
            [StreamAppend.AtEnd("s", ["key"], "x"u8.ToArray()), StreamAppend.AtEnd("t", ["key"], "x"u8.ToArray())],
        ];
        foreach (var appends in wrong)
        {
            await Should.ThrowAsync<ArgumentException>(async () =>
                await Store.AppendAsync(new JournalCommit(appends, [new IndexEntry("key", "s")]), Cancel)
            );
        }
        (await StreamsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_append_at_a_position_that_has_passed_loses_and_says_where_the_stream_stands()
    {
        await FillAsync("s", 3);

        var answer = await AppendAsync("s", 1, "late");

        answer.ShouldBe(new AppendResult(AppendOutcome.LostRace, "s", 3));
        (await ReadAsync("s", 0)).ShouldBe(["0", "1", "2"]);
    }

    [Fact]
    public async Task An_append_beyond_the_end_loses()
    {
        await FillAsync("s", 1);

        (await AppendAsync("s", 2, "early")).ShouldBe(new AppendResult(AppendOutcome.LostRace, "s", 1));
        (await AppendAsync("t", 1, "early")).ShouldBe(new AppendResult(AppendOutcome.LostRace, "t", 0));
        (await ReadAsync("t", 0)).ShouldBeEmpty();
        (await StreamsAsync()).ShouldBe(["s"]);
    }

    [Fact]
    public async Task Of_many_that_race_for_one_position_one_wins()
    {
        await FillAsync("s", 1);

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 16).Select(racer => AppendAsync("s", 1, $"racer {racer}", [new($"key {racer}", "s")]))
        );

        var winner = answers.Index().Single(answer => answer.Item.Outcome == AppendOutcome.Appended).Index;
        answers.Count(answer => answer.Outcome == AppendOutcome.LostRace).ShouldBe(15);
        (await ReadAsync("s", 0)).ShouldBe(["0", $"racer {winner}"]);
        for (var racer = 0; racer < 16; racer++)
        {
            (await Store.FindAsync($"key {racer}", Cancel)).ShouldBe(racer == winner ? "s" : null);
        }
    }

    [Fact]
    public async Task A_lost_race_changes_nothing()
    {
        await FillAsync("s", 1);
        await AppendAsync("s", 1, "b", [new("k", "old")]);

        var answer = await Store.AppendAsync(
            new JournalCommit(
                [new("s", 1, Bytes("late")), new("rider", 0, Bytes("late"))],
                [new("new key", "late"), new("k", "late", Replaces: "old")]
            ),
            Cancel
        );

        answer.Outcome.ShouldBe(AppendOutcome.LostRace);
        (await ReadAsync("s", 0)).ShouldBe(["0", "b"]);
        (await ReadAsync("rider", 0)).ShouldBeEmpty();
        (await Store.FindAsync("new key", Cancel)).ShouldBeNull();
        (await Store.FindAsync("k", Cancel)).ShouldBe("old");
        (await ListAsync("")).ShouldBe(["k=old"]);
        (await StreamsAsync()).ShouldBe(["s"]);
        (await AppendAsync("rider", 0, "first", [new("new key", "mine")])).Outcome.ShouldBe(AppendOutcome.Appended);
    }

    [Fact]
    public async Task The_first_writer_of_an_index_key_keeps_it()
    {
        await AppendAsync("s", 0, "a", [new("k", "first")]);

        var answer = await AppendAsync("t", 0, "b", [new("other", "second"), new("k", "second")]);

        answer.Outcome.ShouldBe(AppendOutcome.IndexTaken);
        answer.Taken.ShouldBe(new IndexEntry("k", "first"));
        (await Store.FindAsync("k", Cancel)).ShouldBe("first");
        (await Store.FindAsync("other", Cancel)).ShouldBeNull();
        (await ReadAsync("t", 0)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Writing_the_same_index_value_again_is_no_conflict()
    {
        await AppendAsync("s", 0, "a", [new("k", "v")]);

        (await AppendAsync("s", 1, "b", [new("k", "v")])).Outcome.ShouldBe(AppendOutcome.Appended);
        (await AppendAsync("s", 2, "c", [new("k", "v", Replaces: "older")])).Outcome.ShouldBe(AppendOutcome.Appended);
        (await Store.FindAsync("k", Cancel)).ShouldBe("v");
    }

    [Fact]
    public async Task An_index_value_is_replaced_only_where_the_older_one_stands()
    {
        await AppendAsync("s", 0, "a", [new("k", "v1")]);

        (await AppendAsync("s", 1, "b", [new("k", "v2", Replaces: "v1")])).Outcome.ShouldBe(AppendOutcome.Appended);
        (await Store.FindAsync("k", Cancel)).ShouldBe("v2");
        var stale = await AppendAsync("s", 2, "c", [new("k", "v3", Replaces: "v1")]);
        stale.Outcome.ShouldBe(AppendOutcome.IndexTaken);
        stale.Taken.ShouldBe(new IndexEntry("k", "v2"));
        (await Store.FindAsync("k", Cancel)).ShouldBe("v2");
        (await AppendAsync("s", 2, "d", [new("free", "v", Replaces: "older")])).Outcome.ShouldBe(
            AppendOutcome.Appended
        );
        (await Store.FindAsync("free", Cancel)).ShouldBe("v");
    }

    [Fact]
    public async Task Of_many_that_replace_one_index_value_one_wins()
    {
        await AppendAsync("s", 0, "a", [new("k", "0")]);

        var answers = await Task.WhenAll(
            Enumerable
                .Range(1, 12)
                .Select(racer => AppendAsync($"stream {racer}", 0, $"{racer}", [new("k", $"{racer}", Replaces: "0")]))
        );

        var winner = answers.Index().Single(answer => answer.Item.Outcome == AppendOutcome.Appended).Index + 1;
        (await Store.FindAsync("k", Cancel)).ShouldBe(winner.ToString(CultureInfo.InvariantCulture));
        (await StreamsAsync()).ShouldBe(["s", $"stream {winner}"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_commit_to_several_streams_is_whole()
    {
        await FillAsync("directory/org", 2);

        var answer = await Store.AppendAsync(
            new JournalCommit(
                [
                    new("patient", 0, Bytes("p")),
                    new("directory/org", 2, Bytes("o")),
                    new("directory/new", 0, Bytes("n")),
                ],
                [new("p", "patient"), new("n", "directory/new")]
            ),
            Cancel
        );

        answer.Outcome.ShouldBe(AppendOutcome.Appended);
        (await ReadAsync("patient", 0)).ShouldBe(["p"]);
        (await ReadAsync("directory/org", 0)).ShouldBe(["0", "1", "o"]);
        (await ReadAsync("directory/new", 0)).ShouldBe(["n"]);
        (await AppendAsync("directory/org", 3, "next")).Outcome.ShouldBe(AppendOutcome.Appended);
        (await AppendAsync("directory/new", 1, "next")).Outcome.ShouldBe(AppendOutcome.Appended);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_commit_to_several_streams_of_which_one_is_lost_changes_none(int late)
    {
        await FillAsync($"s{late}", 1);

        var answer = await Store.AppendAsync(
            new JournalCommit(
                [.. Enumerable.Range(0, 3).Select(i => new StreamAppend($"s{i}", 0, Bytes($"x{i}")))],
                [new("k", "v")]
            ),
            Cancel
        );

        answer.ShouldBe(new AppendResult(AppendOutcome.LostRace, $"s{late}", 1));
        for (var i = 0; i < 3; i++)
        {
            (await ReadAsync($"s{i}", 0)).ShouldBe(i == late ? ["0"] : []);
        }
        (await Store.FindAsync("k", Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task The_same_commit_tried_again_is_applied_once()
    {
        var commit = new JournalCommit(
            [new("s", 0, Bytes("once")), new("rider", 0, Bytes("rides"))],
            [new("k", "v2", Replaces: "v1")]
        );

        (await Store.AppendAsync(commit, Cancel)).Outcome.ShouldBe(AppendOutcome.Appended);
        (await Store.AppendAsync(commit, Cancel)).Outcome.ShouldBe(AppendOutcome.Appended);
        await AppendAsync("s", 1, "more");
        await AppendAsync("rider", 1, "more");
        (await Store.AppendAsync(commit, Cancel)).Outcome.ShouldBe(AppendOutcome.Appended);
        await ReopenAsync();
        (await Store.AppendAsync(commit, Cancel)).Outcome.ShouldBe(AppendOutcome.Appended);

        (await ReadAsync("s", 0)).ShouldBe(["once", "more"]);
        (await ReadAsync("rider", 0)).ShouldBe(["rides", "more"]);
        (await Store.FindAsync("k", Cancel)).ShouldBe("v2");
    }

    [Fact]
    public async Task The_same_commit_sent_twice_at_once_is_applied_once()
    {
        var commit = new JournalCommit([new("s", 0, Bytes("once")), new("rider", 0, Bytes("rides"))], [new("k", "v")]);

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => Store.AppendAsync(commit, Cancel).AsTask())
        );

        answers.ShouldAllBe(answer => answer.Outcome == AppendOutcome.Appended);
        (await ReadAsync("s", 0)).ShouldBe(["once"]);
        (await ReadAsync("rider", 0)).ShouldBe(["rides"]);
    }

    [Fact]
    public async Task Another_commit_that_shares_only_a_rider_is_not_taken_for_the_same()
    {
        await Store.AppendAsync(new JournalCommit([new("a", 0, Bytes("a")), new("org", 0, Bytes("o"))], []), Cancel);

        var answer = await Store.AppendAsync(
            new JournalCommit([new("b", 0, Bytes("b")), new("org", 0, Bytes("o"))], []),
            Cancel
        );

        answer.ShouldBe(new AppendResult(AppendOutcome.LostRace, "org", 1));
        (await ReadAsync("b", 0)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Index_entries_are_listed_by_prefix_in_order_after_a_key()
    {
        string[] keys =
        [
            "m/2026-10/b",
            "m/2026-10/a",
            "m/2026-10/ä",
            "m/2026-10/a/b",
            "m/2026-1",
            "m/2026-11/a",
            "M/2026-10/a",
            "n",
            "m/2026-10/😀",
            "m/2026-10/\uFF5E",
        ];
        await AppendAsync("s", 0, "x", [.. keys.Select(key => new IndexEntry(key, "v"))]);

        (await ListAsync("m/2026-10/")).ShouldBe([
            "m/2026-10/a=v",
            "m/2026-10/a/b=v",
            "m/2026-10/b=v",
            "m/2026-10/ä=v",
            "m/2026-10/\uFF5E=v",
            "m/2026-10/😀=v",
        ]);
        (await ListAsync("m/2026-10/", after: "m/2026-10/b")).ShouldBe([
            "m/2026-10/ä=v",
            "m/2026-10/\uFF5E=v",
            "m/2026-10/😀=v",
        ]);
        (await ListAsync("m/2026-10/", after: "a")).Count.ShouldBe(6);
        (await ListAsync("m/2026-10/", after: "z")).ShouldBeEmpty();
        (await ListAsync("m/2026-1")).Count.ShouldBe(8);
        (await ListAsync("m/2026-10/a")).ShouldBe(["m/2026-10/a=v", "m/2026-10/a/b=v"]);
        (await ListAsync("nothing")).ShouldBeEmpty();
        (await ListAsync("")).Count.ShouldBe(keys.Length);
    }

    [Fact]
    public async Task A_long_list_has_every_entry_once_and_can_be_taken_up_anywhere()
    {
        var keys = Enumerable.Range(0, 2503).Select(i => $"list/{i:0000}").ToArray();
        for (var at = 0; at < keys.Length; at += 300)
        {
            await AppendAsync(
                "s",
                at / 300,
                $"{at}",
                [.. keys.Skip(at).Take(300).Select(key => new IndexEntry(key, "v"))]
            );
        }

        (await ListAsync("list/")).ShouldBe(keys.Select(key => $"{key}=v"));
        (await ListAsync("list/", after: keys[1999])).ShouldBe(keys.Skip(2000).Select(key => $"{key}=v"));
    }

    [Fact]
    public async Task Each_entry_proves_the_one_before_it()
    {
        await FillAsync("s", 4);

        var previous = HashChain.Start;
        foreach (var entry in await Store.ReadAsync("s", 0, Cancel))
        {
            entry.Hash.ToArray().ShouldBe(HashChain.Next(previous.Span, HashChain.Content(entry.Payload.Span)));
            previous = entry.Hash;
        }
    }

    [Fact]
    public async Task A_big_payload_comes_back_as_it_was()
    {
        var big = new byte[20 * 1024 * 1024];
        new Random(1).NextBytes(big);

        (await Store.AppendAsync(new JournalCommit([new("s", 0, big)], []), Cancel)).Outcome.ShouldBe(
            AppendOutcome.Appended
        );
        await AppendAsync("s", 1, "small");

        var entries = await Store.ReadAsync("s", 0, Cancel);
        entries[0].Payload.Span.SequenceEqual(big).ShouldBeTrue();
        Text(entries[1]).ShouldBe("small");
    }

    [Fact]
    public async Task A_slice_of_a_larger_buffer_is_appended_as_the_slice()
    {
        await Store.AppendAsync(
            new JournalCommit([new("s", 0, Bytes("before|this|after").AsMemory(7, 4))], []),
            Cancel
        );

        (await ReadAsync("s", 0)).ShouldBe(["this"]);
    }

    [Theory]
    [InlineData("patient/praxis-müller/Ł-1")]
    [InlineData("patient/北京/患者 7")]
    [InlineData("patient/👩‍⚕️/1")]
    [InlineData("patient/o'brien; DROP TABLE entry; --")]
    [InlineData("patient/a%2Fb/../..\\c?d=e#f")]
    [InlineData("Patient/A")]
    public async Task A_name_is_any_text_and_is_compared_to_the_letter(string name)
    {
        await AppendAsync("patient/a", 0, "other");
        (await AppendAsync(name, 0, "mine", [new(name, name)])).Outcome.ShouldBe(AppendOutcome.Appended);

        await ReopenAsync();
        (await ReadAsync(name, 0)).ShouldBe(["mine"]);
        (await Store.FindAsync(name, Cancel)).ShouldBe(name);
        (await ListAsync(name)).ShouldBe([$"{name}={name}"]);
        (await StreamsAsync()).ShouldBe(["patient/a", name], ignoreOrder: true);
    }

    [Fact]
    public async Task The_longest_names_and_values_are_taken()
    {
        var name = new string('語', JournalCommit.LongestName);
        var value = new string('語', JournalCommit.LongestValue);

        (await AppendAsync(name, 0, "x", [new(name, value)])).Outcome.ShouldBe(AppendOutcome.Appended);

        (await ReadAsync(name, 0)).ShouldBe(["x"]);
        (await ListAsync("語")).ShouldBe([$"{name}={value}"]);
    }

    [Fact]
    public async Task What_is_no_commit_is_refused()
    {
        JournalCommit[] wrong =
        [
            new([], []),
            new([new("", 0, Bytes("x"))], []),
            new([new(new string('a', 401), 0, Bytes("x"))], []),
            new([new("a\nb", 0, Bytes("x"))], []),
            new([new("half \uD83D", 0, Bytes("x"))], []),
            new([new("s", -1, Bytes("x"))], []),
            new([new("s", 0, default)], []),
            new([new("s", 0, Bytes("x")), new("s", 1, Bytes("y"))], []),
            new([new("s", 0, Bytes("x"))], [new("", "v")]),
            new([new("s", 0, Bytes("x"))], [new("k", "")]),
            new([new("s", 0, Bytes("x"))], [new("k", new string('a', 1001))]),
            new([new("s", 0, Bytes("x"))], [new("k", "v"), new("k", "v")]),
        ];
        foreach (var commit in wrong)
        {
            await Should.ThrowAsync<ArgumentException>(async () => await Store.AppendAsync(commit, Cancel));
        }
        (await StreamsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_commit_cancelled_before_it_is_begun_changes_nothing()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(async () =>
            await Store.AppendAsync(new JournalCommit([new("s", 0, Bytes("x"))], [new("k", "v")]), cancelled.Token)
        );

        (await ReadAsync("s", 0)).ShouldBeEmpty();
        (await Store.FindAsync("k", Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task Every_acknowledged_entry_of_many_writers_is_there_once()
    {
        const int writers = 64;
        const int streams = 8;
        const int each = 10;
        var acknowledged = new ConcurrentBag<(string Stream, long Position, string Text)>();

        await Task.WhenAll(
            Enumerable
                .Range(0, writers)
                .Select(writer =>
                    Task.Run(
                        async () =>
                        {
                            var stream = $"s{writer % streams}";
                            var position = 0L;
                            for (var i = 0; i < each; i++)
                            {
                                var text = $"{writer}.{i}";
                                AppendResult answer;
                                while (
                                    (
                                        answer = await AppendAsync(stream, position, text, [new($"id/{text}", stream)])
                                    ).Outcome == AppendOutcome.LostRace
                                )
                                {
                                    answer.Position.ShouldBeGreaterThan(position);
                                    position = answer.Position;
                                }
                                answer.Outcome.ShouldBe(AppendOutcome.Appended);
                                position++;
                                acknowledged.Add((stream, position, text));
                            }
                        },
                        Cancel
                    )
                )
        );

        acknowledged.Count.ShouldBe(writers * each);
        await ReopenAsync();
        foreach (var stream in acknowledged.GroupBy(entry => entry.Stream))
        {
            (await Store.ReadAsync(stream.Key, 0, Cancel))
                .Select(entry => (entry.Position, Text(entry)))
                .ShouldBe(stream.OrderBy(entry => entry.Position).Select(entry => (entry.Position, entry.Text)));
        }
        (await ListAsync("id/")).Count.ShouldBe(writers * each);
    }

    [Fact]
    public async Task A_store_opened_anew_goes_on_where_it_stood()
    {
        await AppendAsync("s", 0, "a", [new("k", "v")]);
        await AppendAsync("s", 1, "b");

        await ReopenAsync();

        (await ReadAsync("s", 0)).ShouldBe(["a", "b"]);
        (await Store.FindAsync("k", Cancel)).ShouldBe("v");
        (await AppendAsync("s", 1, "late")).Outcome.ShouldBe(AppendOutcome.LostRace);
        (await AppendAsync("s", 2, "c")).Outcome.ShouldBe(AppendOutcome.Appended);
        (await ReadAsync("s", 1)).ShouldBe(["b", "c"]);
    }

    [Fact]
    public async Task Two_openings_of_one_store_see_each_others_entries_and_race_fairly()
    {
        await using var other = await OpenAsync();
        await AppendAsync("s", 0, "mine", [new("k", "v")]);

        (await other.ReadAsync("s", 0, Cancel)).Count.ShouldBe(1);
        (
            await other.AppendAsync(new JournalCommit([new("s", 1, Bytes("theirs"))], [new("k2", "v")]), Cancel)
        ).Outcome.ShouldBe(AppendOutcome.Appended);
        (await AppendAsync("s", 1, "late")).ShouldBe(new AppendResult(AppendOutcome.LostRace, "s", 2));
        (await AppendAsync("t", 0, "x", [new("k2", "w")])).Outcome.ShouldBe(AppendOutcome.IndexTaken);
        (await ReadAsync("s", 0)).ShouldBe(["mine", "theirs"]);
        (await Store.FindAsync("k2", Cancel)).ShouldBe("v");
    }

    [Fact]
    public async Task The_index_can_be_written_anew_whatever_it_holds()
    {
        await AppendAsync("s", 0, "a", [new("right", "s"), new("wrong", "elsewhere")]);

        (await Store.RewriteIndexAsync([new("right", "s"), new("wrong", "s"), new("missing", "s")], Cancel)).ShouldBe(
            2
        );
        (await ListAsync("")).ShouldBe(["missing=s", "right=s", "wrong=s"]);
        (await Store.RewriteIndexAsync([new("right", "s"), new("wrong", "s"), new("missing", "s")], Cancel)).ShouldBe(
            0
        );
        (await AppendAsync("s", 1, "b", [new("missing", "other")])).Outcome.ShouldBe(AppendOutcome.IndexTaken);
        (await AppendAsync("s", 1, "b", [new("wrong", "next", Replaces: "s")])).Outcome.ShouldBe(
            AppendOutcome.Appended
        );
        (await Store.FindAsync("wrong", Cancel)).ShouldBe("next");
    }

    [Fact]
    public async Task Of_many_that_replace_one_value_at_once_one_wins()
    {
        await AppendAsync("s", 0, "a", [new("place", "old")]);

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(racer =>
                    AppendAsync($"t{racer}", 0, $"racer {racer}", [new("place", $"t{racer}", Replaces: "old")])
                )
        );

        var winner = answers.Index().Single(answer => answer.Item.Outcome == AppendOutcome.Appended).Index;
        answers.Count(answer => answer.Outcome == AppendOutcome.IndexTaken).ShouldBe(7);
        (await Store.FindAsync("place", Cancel)).ShouldBe($"t{winner}");
        (await StreamsAsync()).ShouldBe(["s", $"t{winner}"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_sound_store_has_no_faults()
    {
        await FillAsync("s", 3);
        await AppendAsync("t", 0, "x", [new("k", "t")]);

        (await Store.CheckAsync(Cancel).ToListAsync(Cancel)).ShouldBeEmpty();
        (await StreamsAsync()).ShouldBe(["s", "t"], ignoreOrder: true);
    }

    private protected async Task ReopenAsync()
    {
        await Store.DisposeAsync();
        store = await OpenAsync();
    }

    private protected async Task FillAsync(string stream, int entries)
    {
        for (var i = 0; i < entries; i++)
        {
            var answer = await AppendAsync(stream, i, i.ToString(CultureInfo.InvariantCulture));
            answer.Outcome.ShouldBe(AppendOutcome.Appended);
        }
    }

    private protected Task<AppendResult> AppendAsync(
        string stream,
        long expected,
        string payload,
        IReadOnlyList<IndexEntry>? index = null
    ) => Store.AppendAsync(new JournalCommit([new(stream, expected, Bytes(payload))], index ?? []), Cancel).AsTask();

    private protected async Task<List<string>> ReadAsync(string stream, long after) =>
        [.. (await Store.ReadAsync(stream, after, Cancel)).Select(Text)];

    private protected async Task<List<string>> ListAsync(string prefix, string? after = null) =>
        await Store.ListAsync(prefix, after, Cancel).Select(entry => $"{entry.Key}={entry.Value}").ToListAsync(Cancel);

    private protected async Task<List<string>> StreamsAsync() => await Store.StreamsAsync(Cancel).ToListAsync(Cancel);

    private protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private protected static string Text(JournalEntry entry) => Encoding.UTF8.GetString(entry.Payload.Span);
}
