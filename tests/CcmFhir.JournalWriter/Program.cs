using System.Globalization;
using System.Text;
using CcmFhir.Journal;
using CcmFhir.JournalWriter;

// Appends to a journal without end, from several writers at once, and says each acknowledged entry on its standard output: the tests kill
// it at a moment of their own and then look for every entry that was said.
var (setting, run) = (args[0], args[1]);
await using var store = await JournalStores.OpenAsync(setting, new RealTime(), CancellationToken.None);
var output = Console.OpenStandardOutput();
using var saying = new SemaphoreSlim(1);
await Task.WhenAll(
    Enumerable
        .Range(0, 16)
        .Select(writer =>
            Task.Run(async () =>
            {
                var stream = $"stream {writer % 4}";
                var position = (await store.ReadAsync(stream, 0, CancellationToken.None)).Count;
                for (var i = 0; ; i++)
                {
                    var text = string.Create(CultureInfo.InvariantCulture, $"{run}.{writer}.{i}");
                    var payload = Encoding.UTF8.GetBytes(text.PadRight(3000));
                    AppendResult answer;
                    while (
                        (
                            answer = await store.AppendAsync(
                                new JournalCommit(
                                    [new(stream, position, payload), new($"rider of {text}", 0, payload)],
                                    [new($"id/{text}", stream)]
                                ),
                                CancellationToken.None
                            )
                        ).Outcome == AppendOutcome.LostRace
                    )
                    {
                        position = (int)answer.Position;
                    }
                    position++;
                    await saying.WaitAsync();
                    await output.WriteAsync(Encoding.UTF8.GetBytes($"{stream}|{position}|{text}\n"));
                    saying.Release();
                }
            })
        )
);
