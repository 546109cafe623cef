using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace CcmFhir.Journal;

/// <summary>A statement kept ready on one connection, without the parameters and boxes of the driver's commands: a commit runs
/// dozens. Positions of parameters count from 1, columns from 0.</summary>
internal sealed class SqliteStatement : IDisposable
{
    private readonly sqlite3 database;
    private readonly sqlite3_stmt statement;

    /// <summary>Prepares it.</summary>
    public SqliteStatement(SqliteConnection connection, string sql)
    {
        database = connection.Handle!;
        Check(raw.sqlite3_prepare_v2(database, sql, out statement));
    }

    /// <summary>Rows that the last run changed.</summary>
    public int Changed => raw.sqlite3_changes(database);

    /// <summary>Sets a number.</summary>
    public SqliteStatement With(int parameter, long value)
    {
        Check(raw.sqlite3_bind_int64(statement, parameter, value));
        return this;
    }

    /// <summary>Sets a text.</summary>
    public SqliteStatement With(int parameter, string value)
    {
        Span<byte> utf8 = stackalloc byte[JournalCommit.LongestValue * 3];
        var most = Encoding.UTF8.GetMaxByteCount(value.Length);
        var bytes = most <= utf8.Length ? utf8[..Encoding.UTF8.GetBytes(value, utf8)] : Encoding.UTF8.GetBytes(value);
        Check(raw.sqlite3_bind_text(statement, parameter, bytes));
        return this;
    }

    /// <summary>Sets bytes.</summary>
    public SqliteStatement With(int parameter, ReadOnlySpan<byte> value)
    {
        Check(raw.sqlite3_bind_blob(statement, parameter, value));
        return this;
    }

    /// <summary>Runs it to its end.</summary>
    public void Run()
    {
        var answer = raw.sqlite3_step(statement);
        raw.sqlite3_reset(statement);
        if (answer is not (raw.SQLITE_DONE or raw.SQLITE_ROW))
        {
            SqliteException.ThrowExceptionForRC(answer, database);
        }
    }

    /// <summary>Runs it and takes what its first row says; the given value when there is none.</summary>
    public T First<T>(Func<SqliteStatement, T> take, T otherwise)
    {
        var answer = raw.sqlite3_step(statement);
        try
        {
            if (answer is not (raw.SQLITE_DONE or raw.SQLITE_ROW))
            {
                SqliteException.ThrowExceptionForRC(answer, database);
            }
            return answer == raw.SQLITE_ROW ? take(this) : otherwise;
        }
        finally
        {
            raw.sqlite3_reset(statement);
        }
    }

    /// <summary>Runs it and shows each row, until that says that it is enough.</summary>
    public void Each(Func<SqliteStatement, bool> goesOn)
    {
        try
        {
            while (true)
            {
                var answer = raw.sqlite3_step(statement);
                if (answer == raw.SQLITE_DONE)
                {
                    return;
                }
                if (answer != raw.SQLITE_ROW)
                {
                    SqliteException.ThrowExceptionForRC(answer, database);
                }
                if (!goesOn(this))
                {
                    return;
                }
            }
        }
        finally
        {
            raw.sqlite3_reset(statement);
        }
    }

    /// <summary>A number of the row; 0 where it is null.</summary>
    public long Number(int column) => raw.sqlite3_column_int64(statement, column);

    /// <summary>A text of the row.</summary>
    public string Text(int column) => raw.sqlite3_column_text(statement, column).utf8_to_string();

    /// <summary>Bytes of the row, as long as it is the row.</summary>
    public ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(statement, column);

    /// <summary>Bytes of the row.</summary>
    public byte[] Bytes(int column) => raw.sqlite3_column_blob(statement, column).ToArray();

    /// <inheritdoc/>
    public void Dispose() => statement.Dispose();

    private void Check(int answer)
    {
        if (answer != raw.SQLITE_OK)
        {
            SqliteException.ThrowExceptionForRC(answer, database);
        }
    }
}
