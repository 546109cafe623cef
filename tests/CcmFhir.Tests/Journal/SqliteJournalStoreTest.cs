using CcmFhir.Journal;
using Microsoft.Data.Sqlite;

namespace CcmFhir.Tests.Journal;

/// <summary>The SQLite store keeps the contract, and stands up to what happens to files.</summary>
public sealed class SqliteJournalStoreTest : JournalStoreContract
{
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"ccm-journal-{Guid.NewGuid():N}");

    private string Database => Path.Combine(folder, "store", "ccm.db");

    private protected override ValueTask<IJournalStore> OpenAsync() => new(SqliteJournalStore.Open(Database));

    private protected override ValueTask CleanAsync()
    {
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_is_new_is_appended_wherever_the_stream_stands()
    {
        await FillAsync("s", 5);

        (await AppendNewAsync("s", "new 1", "five")).ShouldBe(new AppendResult(AppendOutcome.Appended, Position: 6));
        (await AppendNewAsync("none", "new 2", "first")).ShouldBe(
            new AppendResult(AppendOutcome.Appended, Position: 1)
        );
        (await AppendAsync("s", 6, "six")).Outcome.ShouldBe(AppendOutcome.Appended);

        (await ReadAsync("s", 4)).ShouldBe(["4", "five", "six"]);
        (await ReadAsync("none", 0)).ShouldBe(["first"]);
        (await Store.FindAsync("new 1", Cancel)).ShouldBe("s");
    }

    [Fact]
    public async Task What_was_to_be_new_and_is_there_is_not_appended_even_by_the_same_commit()
    {
        await FillAsync("s", 1);
        (await AppendNewAsync("s", "key", "once")).Outcome.ShouldBe(AppendOutcome.Appended);

        var again = await AppendNewAsync("s", "key", "once");
        var behindOthers = await Store.AppendAsync(
            new JournalCommit(
                [StreamAppend.AtEnd("s", ["key"], "twice"u8.ToArray()), new StreamAppend("rider", 0, "r"u8.ToArray())],
                [new IndexEntry("free", "s"), new IndexEntry("key", "s")]
            ),
            Cancel
        );

        again.ShouldBe(new AppendResult(AppendOutcome.IndexTaken, Taken: new IndexEntry("key", "s")));
        behindOthers.Outcome.ShouldBe(AppendOutcome.IndexTaken);
        (await ReadAsync("s", 0)).ShouldBe(["0", "once"]);
        (await ReadAsync("rider", 0)).ShouldBeEmpty();
        (await Store.FindAsync("free", Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task Of_many_that_append_at_the_end_each_stands_there_once()
    {
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 32).Select(writer => AppendNewAsync("s", $"key {writer % 16}", $"{writer}").AsTask())
        );

        answers.Count(answer => answer.Outcome == AppendOutcome.Appended).ShouldBe(16);
        answers
            .Where(answer => answer.Outcome == AppendOutcome.Appended)
            .Select(answer => answer.Position)
            .Order()
            .ShouldBe(Enumerable.Range(1, 16).Select(position => (long)position));
        (await ReadAsync("s", 0)).Distinct().Count().ShouldBe(16);
    }

    [Fact]
    public async Task Ten_thousand_entries_in_one_stream_are_read_back()
    {
        for (var batch = 0; batch < 100; batch++)
        {
            // All hundred wait for the writer at once; it takes them in order.
            var answers = Enumerable.Range(batch * 100, 100).Select(i => AppendAsync("s", i, $"{i}")).ToList();
            (await Task.WhenAll(answers)).ShouldAllBe(answer => answer.Outcome == AppendOutcome.Appended);
        }

        (await ReadAsync("s", 0)).ShouldBe(Enumerable.Range(0, 10_000).Select(i => $"{i}"));
        (await ReadAsync("s", 9_998)).ShouldBe(["9998", "9999"]);
        ((SqliteJournalStore)Store).Flushes.ShouldBeLessThan(5_000);
    }

    [Fact]
    public async Task A_key_that_another_process_changed_is_not_known_from_memory()
    {
        for (var i = 0; i < 3; i++)
        {
            (await AppendAsync("s", i, $"{i}", [new("key", "old")])).Outcome.ShouldBe(AppendOutcome.Appended);
        }
        await using (var other = await OpenAsync())
        {
            var commit = new JournalCommit([new("t", 0, Bytes("x"))], [new("key", "new", Replaces: "old")]);
            (await other.AppendAsync(commit, Cancel)).Outcome.ShouldBe(AppendOutcome.Appended);
        }

        var answer = await AppendAsync("s", 3, "3", [new("key", "old")]);

        answer.ShouldBe(new AppendResult(AppendOutcome.IndexTaken, Taken: new IndexEntry("key", "new")));
        (await ReadAsync("s", 0)).Count.ShouldBe(3);
    }

    [Fact]
    public async Task Files_are_readable_by_their_owner_alone()
    {
        await FillAsync("s", 1);

        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(Path.GetDirectoryName(Database)!)
                .ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            foreach (var file in Directory.GetFiles(Path.GetDirectoryName(Database)!))
            {
                File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
            }
        }
        Directory
            .GetFiles(Path.GetDirectoryName(Database)!)
            .Select(Path.GetFileName)
            .ShouldBe(["ccm.db", "ccm.db-wal", "ccm.db-shm"], ignoreOrder: true);
    }

    [Fact]
    public async Task What_a_killed_process_had_acknowledged_is_there()
    {
        var random = new Random(20261124);
        var said = new List<(string Stream, long Position, string Text)>();
        for (var round = 0; round < 5; round++)
        {
            said.AddRange(await KilledWriter.RunAsync($"sqlite:{Database}", $"r{round}", random.Next(1, 400), Cancel));
        }

        await ReopenAsync();
        (await Store.CheckAsync(Cancel).ToListAsync(Cancel)).ShouldBeEmpty();
        var streams = new Dictionary<string, IReadOnlyList<JournalEntry>>();
        foreach (var (stream, position, text) in said)
        {
            if (!streams.TryGetValue(stream, out var entries))
            {
                streams[stream] = entries = await Store.ReadAsync(stream, 0, Cancel);
            }
            Text(entries[(int)position - 1]).TrimEnd().ShouldBe(text);
            (await Store.FindAsync($"id/{text}", Cancel)).ShouldBe(stream);
            (await Store.ReadAsync($"rider of {text}", 0, Cancel)).Count.ShouldBe(1);
        }
        // Unsaid entries may be there, whole: each with its rider and its index entry, none twice.
        var all = streams.Values.SelectMany(entries => entries).Select(entry => Text(entry).TrimEnd()).ToList();
        all.ShouldBeUnique();
        foreach (var text in all)
        {
            (await Store.FindAsync($"id/{text}", Cancel)).ShouldNotBeNull();
            (await Store.ReadAsync($"rider of {text}", 0, Cancel)).Count.ShouldBe(1);
        }
    }

    [Fact]
    public async Task A_full_disk_refuses_whole_commits_and_the_store_recovers_when_there_is_room()
    {
        await FillAsync("s", 1);
        await Store.DisposeAsync();
        var appended = 1;
        await using (var full = SqliteJournalStore.Open(Database, new SqliteJournalOptions { LargestPages = 100 }))
        {
            var fault = await Should.ThrowAsync<JournalUnavailableException>(async () =>
            {
                while (true)
                {
                    var commit = new JournalCommit(
                        [new("s", appended, new byte[50_000]), new($"rider {appended}", 0, new byte[50_000])],
                        [new($"key {appended}", "s")]
                    );
                    (await full.AppendAsync(commit, Cancel)).Outcome.ShouldBe(AppendOutcome.Appended);
                    appended++;
                }
            });
            fault.Message.ShouldContain(Database);
            fault.Message.ShouldContain("full");
            appended.ShouldBeGreaterThan(2);
            (await full.ReadAsync("s", 0, Cancel)).Count.ShouldBe(appended);
            (await full.ReadAsync($"rider {appended}", 0, Cancel)).ShouldBeEmpty();
            (await full.FindAsync($"key {appended}", Cancel)).ShouldBeNull();
            // Something small still fits.
            (await full.AppendAsync(new JournalCommit([new("small", 0, Bytes("x"))], []), Cancel)).Outcome.ShouldBe(
                AppendOutcome.Appended
            );
        }

        await ReopenAsync();
        (await AppendAsync("s", appended, "after")).Outcome.ShouldBe(AppendOutcome.Appended);
        (await Store.CheckAsync(Cancel).ToListAsync(Cancel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_journal_locked_by_another_process_is_unavailable_until_the_lock_goes()
    {
        await Store.DisposeAsync();
        await using var impatient = SqliteJournalStore.Open(
            Database,
            new SqliteJournalOptions { LockWait = TimeSpan.FromMilliseconds(20) }
        );
        var commit = new JournalCommit([new("s", 0, Bytes("x"))], []);
        await using (var other = new SqliteConnection($"Data Source={Database};Pooling=False"))
        {
            await other.OpenAsync(Cancel);
            await using var transaction = other.BeginTransaction(deferred: false);

            var fault = await Should.ThrowAsync<JournalUnavailableException>(async () =>
                await impatient.AppendAsync(commit, Cancel)
            );

            fault.Message.ShouldContain("locked");
            (await impatient.ReadAsync("s", 0, Cancel)).ShouldBeEmpty();
        }

        (await impatient.AppendAsync(commit, Cancel)).Outcome.ShouldBe(AppendOutcome.Appended);
    }

    [Fact]
    public async Task A_journal_moved_away_under_the_running_program_takes_nothing_more()
    {
        await FillAsync("s", 1);
        File.Move(Database, $"{Database}.moved");

        var fault = await Should.ThrowAsync<JournalUnavailableException>(() => AppendAsync("s", 1, "lost"));
        fault.Message.ShouldContain(Database);

        File.Move($"{Database}.moved", Database);
        (await AppendAsync("s", 1, "kept")).Outcome.ShouldBe(AppendOutcome.Appended);
        (await ReadAsync("s", 0)).ShouldBe(["0", "kept"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"resourceType\":\"Bundle\"}")]
    [InlineData("SQLite format 3\0")]
    public async Task A_file_that_is_no_SQLite_file_is_refused_and_left_alone(string content)
    {
        var path = Path.Combine(folder, "other.db");
        await File.WriteAllTextAsync(path, content, Cancel);

        var fault = Should.Throw<JournalUnreadableException>(() => SqliteJournalStore.Open(path));

        fault.Message.ShouldContain(path);
        fault.Message.ShouldContain("Ccm:Store");
        (await File.ReadAllTextAsync(path, Cancel)).ShouldBe(content);
    }

    [Fact]
    public void A_SQLite_file_of_another_program_is_refused_and_left_alone()
    {
        var path = Path.Combine(folder, "other.db");
        Sql(path, "CREATE TABLE entry (key INTEGER PRIMARY KEY)");
        var before = File.ReadAllBytes(path);

        var fault = Should.Throw<JournalUnreadableException>(() => SqliteJournalStore.Open(path));

        fault.Message.ShouldContain(path);
        fault.Message.ShouldContain("another program");
        File.ReadAllBytes(path).ShouldBe(before);
        File.Exists($"{path}-wal").ShouldBeFalse();
    }

    [Fact]
    public async Task A_journal_of_a_later_release_is_refused()
    {
        await Store.DisposeAsync();
        Sql(Database, "PRAGMA user_version=2");

        var fault = Should.Throw<JournalUnreadableException>(() => SqliteJournalStore.Open(Database));

        fault.Message.ShouldContain(Database);
        fault.Message.ShouldContain("schema 2");
        Sql(Database, "PRAGMA user_version=1");
        await ReopenAsync();
    }

    [Fact]
    public async Task A_journal_cut_short_is_refused()
    {
        await FillAsync("s", 500);
        await Store.DisposeAsync();
        var whole = await File.ReadAllBytesAsync(Database, Cancel);
        for (var pages = whole.Length / 4096 - 1; pages > 0; pages -= 3)
        {
            await File.WriteAllBytesAsync(Database, whole[..(pages * 4096)], Cancel);
            Should
                .Throw<JournalUnreadableException>(() => SqliteJournalStore.Open(Database))
                .Message.ShouldContain(Database);
        }
        await File.WriteAllBytesAsync(Database, whole, Cancel);
        await ReopenAsync();
        (await ReadAsync("s", 499)).ShouldBe(["499"]);
    }

    [Fact]
    public async Task A_flipped_bit_in_an_entry_is_found_when_it_is_read()
    {
        const string mark = "the patient was called at ten";
        await AppendAsync("s", 0, mark);
        await Store.DisposeAsync();
        var bytes = await File.ReadAllBytesAsync(Database, Cancel);
        var at = bytes.AsSpan().IndexOf(Bytes(mark));
        bytes[at + 4] ^= 1;
        await File.WriteAllBytesAsync(Database, bytes, Cancel);

        await ReopenAsync();

        var fault = await Should.ThrowAsync<JournalUnreadableException>(() => ReadAsync("s", 0));
        fault.Message.ShouldContain(Database);
        fault.Message.ShouldNotContain("patient was");
    }

    [Fact]
    public async Task A_page_overwritten_with_noise_is_found_by_the_check()
    {
        await FillAsync("s", 500);
        await Store.DisposeAsync();
        var bytes = await File.ReadAllBytesAsync(Database, Cancel);
        new Random(7).NextBytes(bytes.AsSpan(bytes.Length - (2 * 4096), 4096));
        await File.WriteAllBytesAsync(Database, bytes, Cancel);
        var faults = new List<string>();

        try
        {
            await ReopenAsync();
            faults = await Store.CheckAsync(Cancel).ToListAsync(Cancel);
        }
        catch (JournalUnreadableException fault)
        {
            faults.Add(fault.Message);
        }

        faults.ShouldNotBeEmpty();
        faults.ShouldAllBe(fault => fault.Contains(Database));
    }

    [Fact]
    public void A_place_where_no_file_can_be_made_is_unavailable()
    {
        File.WriteAllText(Path.Combine(folder, "file"), "x");
        var path = Path.Combine(folder, "file", "ccm.db");

        Should.Throw<JournalUnavailableException>(() => SqliteJournalStore.Open(path)).Message.ShouldContain(path);
    }

    [Fact]
    public async Task Two_programs_that_make_the_file_at_once_share_it()
    {
        var path = Path.Combine(folder, "raced", "ccm.db");

        var stores = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(_ => Task.Run(() => SqliteJournalStore.Open(path), Cancel))
        );

        for (var i = 0; i < stores.Length; i++)
        {
            (await stores[i].AppendAsync(new JournalCommit([new("s", i, Bytes($"{i}"))], []), Cancel)).Outcome.ShouldBe(
                AppendOutcome.Appended
            );
        }
        foreach (var one in stores)
        {
            (await one.ReadAsync("s", 0, Cancel)).Count.ShouldBe(4);
            await one.DisposeAsync();
        }
        Directory.GetFiles(Path.GetDirectoryName(path)!).ShouldBe([path]);
    }

    [Fact]
    public async Task A_closed_store_says_so()
    {
        await Store.DisposeAsync();
        await Should.ThrowAsync<ObjectDisposedException>(() => AppendAsync("s", 0, "x"));
        await Should.ThrowAsync<ObjectDisposedException>(() => ReadAsync("s", 0));
        await ReopenAsync();
    }

    [Theory]
    [InlineData("sqlite:")]
    [InlineData("azure:")]
    [InlineData("postgres:host=x")]
    [InlineData("ccm.db")]
    public async Task A_setting_that_names_no_store_is_refused(string setting) =>
        (
            await Should.ThrowAsync<ArgumentException>(async () =>
                await JournalStores.OpenAsync(setting, new RealTime(), Cancel)
            )
        ).Message.ShouldContain("Ccm:Store");

    [Fact]
    public async Task The_setting_names_the_file()
    {
        var path = Path.Combine(folder, "named", "x.db");
        await using var named = await JournalStores.OpenAsync($"sqlite:{path}", new RealTime(), Cancel);
        File.Exists(path).ShouldBeTrue();
    }

    private static void Sql(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private ValueTask<AppendResult> AppendNewAsync(string stream, string key, string text) =>
        Store.AppendAsync(
            new JournalCommit([StreamAppend.AtEnd(stream, [key], Bytes(text))], [new IndexEntry(key, stream)]),
            Cancel
        );
}
